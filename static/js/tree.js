// The ticket tree: ARIA treegrid keys, quick filter, levels, menu of a row. The rows and what is open are in treerows.js,
// selecting and cutting in treeselect.js, new rows in treeadd.js, dragging in treedrag.js. The server makes the rows
// (data-id, data-version, data-parent, data-url); every change posts to an address below data-url and swaps the answered
// rows in. A table without data-add is read-only; one with data-drop lets branches be dropped.
import { openDialog } from "./dialogs.js";
import { closePalette, openPalette } from "./runbooks.js";
import { openForm, openLine } from "./treeadd.js";
import * as rows from "./treerows.js";
import * as several from "./treeselect.js";
import "./treedrag.js";
import "./treelook.js";

const WIDE = matchMedia("(min-width: 1200px)");
const FORMS = { e: "edit/", a: "assign/", s: "status/", l: "lead/", m: "move/", h: "headline/" };
const PARTS = { a: "assignee", s: "status", m: "move", Delete: "drop" }; // of several at once
const MENU = [ // words, key, what it needs
  ["Open", "Enter", "read"], ["Branch alone", "B", "branch"], ["Add below", "N", "work"], ["Edit", "E", "work"],
  ["Assign", "A", "work"], ["Status", "S", "work"], ["Lead", "L", "work"], ["Headline…", "H", "work"],
  ["Move to…", "M", "work"], ["Insert runbook", "R", "work"], ["Select", "X", "work"], ["Cut", "Ctrl X", "work"], ["Paste here", "Ctrl V", "cut"],
  ["Drop…", "", "lead"],
];

// -- What a key does -------------------------------------------------------------------------------------------------
function form(row, key) {
  if (!rows.writable()) return;
  if (several.count() > 1 && several.has(row) && PARTS[key] && several.bulk()) several.openBulk(PARTS[key]);
  else openDialog(row.dataset.url + (FORMS[key] ?? "drop/"), row);
}

function show(row) {
  const panel = document.getElementById("ticket-panel");
  if (!panel || !WIDE.matches) return openDialog(row.dataset.url, row);
  closePalette({ focus: false });
  panel.hidden = false;
  return htmx.ajax("GET", row.dataset.url, { source: row, target: "#ticket-panel", swap: "innerHTML" });
}

function hidePanel() {
  const panel = document.getElementById("ticket-panel");
  panel.hidden = true;
  panel.replaceChildren(); // a panel nobody sees asks nothing
  rows.focusCurrent();
}

function right(row) {
  if (rows.open(row) === "false") rows.setOpen(row, true);
  else if (rows.open(row) === "true") rows.focus(rows.children(row)[0]);
}

function left(row) {
  if (rows.open(row) === "true") rows.setOpen(row, false);
  else rows.focus(rows.parent(row));
}

function step(row, by) {
  rows.focus(rows.beside(row, by));
}

function escape(row) {
  several.clear();
  rows.focus(row);
}

const KEYS = {
  ArrowDown: (row) => step(row, 1),
  ArrowUp: (row) => step(row, -1),
  j: (row) => step(row, 1),
  k: (row) => step(row, -1),
  ArrowRight: right,
  ArrowLeft: left,
  Home: () => rows.focus(rows.shown()[0]),
  End: () => rows.focus(rows.shown().at(-1)),
  "*": (row) => rows.setAllOpen(rows.siblings(row), true),
  Enter: (row) => location.assign(row.dataset.url),
  " ": show,
  n: (row) => openLine(row),
  N: (row) => openLine(row, { sibling: true }),
  b: (row) => rows.open(row) !== null && location.assign(`${row.dataset.url}tree/`),
  r: (row) => openPalette(row),
  x: several.toggle,
  Escape: escape,
  Delete: (row) => rows.droppable() && form(row, "Delete"),
};
for (const key of Object.keys(FORMS)) KEYS[key] = (row) => form(row, key);

const WITH_CTRL = {
  " ": several.toggle,
  x: several.take,
  v: (row) => several.put(row, "parent"),
  V: (row) => several.put(row, "after"),
};
const WITH_SHIFT = { ArrowUp: (row) => several.extend(row, -1), ArrowDown: (row) => several.extend(row, 1) };

// Alt and an arrow: among the siblings, into the one above, out of the branch.
const MOVES = {
  ArrowUp: (row) => ({ before: rows.sibling(row, -1)?.dataset.id }),
  ArrowDown: (row) => ({ after: rows.sibling(row, 1)?.dataset.id }),
  ArrowRight: (row) => ({ parent: rows.sibling(row, -1)?.dataset.id }),
  ArrowLeft: (row) => ({ after: rows.parent(row)?.dataset.id }),
};

function keydown(event) {
  const row = event.target.closest("tr[data-id]");
  if (!row || event.isComposing) return;
  if (event.target !== row) {
    if (event.key === "Escape") rows.focus(row);
    return;
  }
  const go = action(event);
  if (!go) return;
  event.preventDefault();
  event.stopPropagation();
  go(row);
}

function action(event) {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  const among = (keys) => Object.hasOwn(keys, key) && keys[key];
  if (altKey) return ctrlKey || metaKey ? null : MOVES[key] && ((row) => shift(row, MOVES[key](row)));
  if (ctrlKey || metaKey) return key === "x" && String(getSelection()) ? null : among(WITH_CTRL);
  if (shiftKey && among(WITH_SHIFT)) return among(WITH_SHIFT);
  const off = document.body.dataset.hotkeys === "off" && /^[a-z*]$/i.test(key);
  return off ? null : among(KEYS);
}

function shift(row, where) {
  if (Object.values(where)[0]) rows.post(row, where);
}

// -- The menu of a row ------------------------------------------------------------------------------------------------
let menu = null;

function openMenu(button, row) {
  closeMenu();
  menu = document.createElement("div");
  menu.className = "rowmenu"; // not Bootstrap's dropdown, whose key handler would take the arrows
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", `Actions for #${row.dataset.id}`);
  menu.popover = "auto";
  const may = {
    read: true, branch: rows.open(row) !== null, work: rows.writable(), lead: rows.droppable(), cut: several.holds(),
  };
  for (const [words, key, needs] of MENU) if (may[needs]) menu.append(item(words, key, row));
  document.body.append(menu);
  menu.showPopover();
  const at = button.getBoundingClientRect();
  const top = at.bottom + menu.offsetHeight > innerHeight ? at.top - menu.offsetHeight : at.bottom;
  menu.style.top = `${Math.max(0, top)}px`;
  menu.style.left = `${Math.max(0, at.right - menu.offsetWidth)}px`;
  menu.addEventListener("toggle", (event) => event.newState === "closed" && closeMenu());
  menu.addEventListener("keydown", (event) => menuKey(event, row));
  menu.firstElementChild.focus();
}

function item(words, key, row) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "menuitem");
  button.tabIndex = -1;
  button.textContent = words;
  if (key) {
    const mark = document.createElement("kbd");
    mark.textContent = key;
    button.append(mark);
  }
  button.addEventListener("click", () => {
    closeMenu();
    rows.focus(row);
    if (key.startsWith("Ctrl ")) WITH_CTRL[key.slice(5).toLowerCase()](row);
    else KEYS[key.length === 1 ? key.toLowerCase() : key || "Delete"](row);
  });
  return button;
}

function menuKey(event, row) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next !== undefined) items.at(next % items.length).focus();
  else if (event.key === "Escape" || event.key === "Tab") {
    closeMenu();
    rows.focus(row);
  } else return;
  event.preventDefault();
}

function closeMenu() {
  const old = menu;
  menu = null;
  old?.remove();
}

// -- Pointer, quick filter, levels --------------------------------------------------------------------------------------------
function click(event) {
  const row = event.target.closest("tr[data-id]");
  if (!row) return;
  const act = event.target.closest("button.rowact");
  const title = event.target.closest(".t");
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (event.target.closest("button.twisty")) rows.setOpen(row, rows.open(row) !== "true");
  else if (act) openMenu(act, row);
  else if (rows.writable() && (event.ctrlKey || event.metaKey || event.shiftKey) && !event.target.closest("button")) {
    event.preventDefault();
    if (event.shiftKey) several.range(row);
    else several.toggle(row);
    rows.focus(row);
  }
  else if (title && plain && WIDE.matches && document.getElementById("ticket-panel")) {
    event.preventDefault();
    rows.focus(row);
    show(row);
  } else if (title && plain && !title.matches("a")) location.assign(row.dataset.url);
  else if (!event.target.closest("button, a")) rows.focus(row);
}

document.addEventListener("click", (event) => {
  if (event.target.closest(".tree tbody")) return click(event);
  const level = event.target.closest("[data-level]");
  if (level && !rows.table()?.dataset.branch) {
    event.preventDefault(); // without script, and for one branch, the button asks the server
    return rows.setLevel(level.dataset.level);
  }
  if (event.target.closest("#ticket-panel [data-close]")) {
    event.preventDefault();
    return hidePanel();
  }
  const adder = event.target.closest("[data-add-ticket]");
  if (adder) {
    event.preventDefault();
    return openForm(adder.dataset.addTicket);
  }
  return undefined;
});
document.addEventListener("mousedown", (event) => {
  const several = event.shiftKey || event.ctrlKey || event.metaKey; // Firefox would mark the cell with Ctrl, words with Shift
  if (several && event.target.closest(".tree tbody")) event.preventDefault(); // selects rows
});
document.addEventListener("dblclick", (event) => {
  const row = event.target.closest(".tree tbody tr[data-id]");
  if (row && !event.target.closest("button, a")) location.assign(row.dataset.url);
});
document.addEventListener("keydown", (event) => {
  if (event.target.closest?.(".tree tbody")) keydown(event);
});
document.addEventListener("input", (event) => {
  if (event.target.matches("#tq, [data-tree-filter]")) rows.setWords(event.target.value);
});
