// The ticket tree: ARIA treegrid keys, quick filter, levels, menu of a row. Dragging is in treedrag.js, the rows and what is
// open in treerows.js. The server makes the rows (data-id, data-version, data-parent, data-url); every change posts to
// an address below data-url and swaps the answered rows in. A table without data-add is
// read-only; one with data-drop lets branches be dropped.
import { openDialog } from "./dialogs.js";
import * as rows from "./treerows.js";
import "./treedrag.js";

const WIDE = matchMedia("(min-width: 1200px)");
const FORMS = { e: "edit/", a: "assign/", s: "status/", l: "lead/", m: "move/" };
const MENU = [
  ["Open", "Enter"], ["Add below", "N"], ["Edit", "E"], ["Assign", "A"], ["Status", "S"], ["Lead", "L"], ["Move to…", "M"],
  ["Drop…", ""],
];

// -- What a key does -------------------------------------------------------------------------------------------------
function form(row, part) {
  if (rows.writable()) openDialog(row.dataset.url + part, row);
}

function add(parent) {
  const url = rows.table().dataset.add;
  if (url) openDialog(parent ? `${url}?parent=${encodeURIComponent(parent)}` : url, rows.table());
}

function show(row) {
  const panel = document.getElementById("ticket-panel");
  if (!panel || !WIDE.matches) return openDialog(row.dataset.url, row);
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
  const list = rows.shown();
  rows.focus(list[list.indexOf(row) + by]);
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
  "*": (row) => rows.siblings(row).forEach((other) => rows.setOpen(other, true)),
  Enter: (row) => location.assign(row.dataset.url),
  " ": show,
  n: (row) => add(row.dataset.id),
  N: (row) => add(row.dataset.parent),
  Delete: (row) => rows.droppable() && form(row, "drop/"),
};
for (const [key, part] of Object.entries(FORMS)) KEYS[key] = (row) => form(row, part);

// Alt and an arrow: among the siblings, into the one above, out of the branch.
const MOVES = {
  ArrowUp: (row) => ({ before: rows.sibling(row, -1)?.dataset.id }),
  ArrowDown: (row) => ({ after: rows.sibling(row, 1)?.dataset.id }),
  ArrowRight: (row) => ({ parent: rows.sibling(row, -1)?.dataset.id }),
  ArrowLeft: (row) => ({ after: rows.parent(row)?.dataset.id }),
};

function keydown(event) {
  const row = event.target.closest("tr[data-id]");
  if (!row || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (event.target !== row) {
    if (event.key === "Escape") rows.focus(row);
    return;
  }
  const off = document.body.dataset.hotkeys === "off" && /^[a-z*]$/i.test(event.key);
  const move = event.altKey && MOVES[event.key];
  const go = !event.altKey && !off && Object.hasOwn(KEYS, event.key) && KEYS[event.key];
  if (!move && !go) return;
  event.preventDefault();
  event.stopPropagation();
  if (go) go(row);
  else {
    const where = move(row);
    if (Object.values(where)[0]) rows.post(row, where);
  }
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
  const allowed = rows.droppable() ? MENU : rows.writable() ? MENU.slice(0, -1) : MENU.slice(0, 1);
  for (const [words, key] of allowed) menu.append(item(words, key, row));
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
    const name = key.length === 1 ? key.toLowerCase() : key || "Delete";
    KEYS[name](row);
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
  if (level) {
    event.preventDefault(); // without script the button asks the server
    return rows.setLevel(Number(level.dataset.level) || Infinity, level);
  }
  if (event.target.closest("#ticket-panel [data-close]")) {
    event.preventDefault();
    return hidePanel();
  }
  const adder = event.target.closest("[data-add-ticket]");
  if (adder) {
    event.preventDefault();
    return add(adder.dataset.addTicket);
  }
  return undefined;
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
