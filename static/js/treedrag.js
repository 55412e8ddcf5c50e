// Dragging rows of the tree by their grip: one, or all that are selected. Three zones in a row: upper quarter = before it,
// lower = after it, middle = inside. A dashed row shows where they will stand, a closed branch opens after a moment,
// edges scroll, a branch cannot go into itself. A runbook of the palette goes into a ticket, after it was asked for its
// values. Without a pointer the same is done by M, Alt and arrows, cut and paste,
// or the menu of the row.
import { openDialog } from "./dialogs.js";
import * as rows from "./treerows.js";
import * as several from "./treeselect.js";

const OPEN_MS = 600;
const EDGE_PX = 40;
const MARKS = { before: "is-above", after: "is-below", parent: "is-into" };
const WORDS = { before: "before", after: "after", parent: "in" };
let held = []; // rows in order of the tree
let book = null; // a runbook of the palette: {url, count, title}
let over = null;
let zone = "";
let opening = 0;
let ghost = null;

function clear() {
  clearTimeout(opening);
  document.querySelectorAll(".is-into, .is-above, .is-below").forEach((row) => row.classList.remove(...Object.values(MARKS)));
  ghost?.remove();
  ghost = null;
  over = null;
  zone = "";
}

function scroll(y) {
  const box = document.querySelector(".treescroll");
  if (!box) return;
  const { top, bottom } = box.getBoundingClientRect();
  if (y < top + EDGE_PX) box.scrollTop -= 12;
  else if (y > bottom - EDGE_PX) box.scrollTop += 12;
}

function place(row, y) {
  const { top, height } = row.getBoundingClientRect();
  const part = (y - top) / height;
  return part < 0.25 ? "before" : part > 0.75 ? "after" : "parent";
}

// What the dashed row says, and how deep it stands. A runbook always goes into a ticket, last.
function words(row, next) {
  if (book) return `${book.count} tickets of “${book.title}” go here, ${row ? `in #${row.dataset.id}` : "at the top"}`;
  const what = held.length === 1 ? `#${held[0].dataset.id} goes` : `${held.length} tickets go`;
  return `${what} here, ${WORDS[next]} #${row.dataset.id}`;
}

// It stands between two rows, so that the row under the pointer stays under the pointer.
function showGhost(row, next) {
  ghost = document.createElement("tr");
  ghost.className = "ghost";
  ghost.setAttribute("role", "row");
  ghost.setAttribute("aria-level", row ? rows.level(row) + (next === "parent" ? 1 : 0) : 1);
  const cell = document.createElement("td");
  cell.setAttribute("role", "gridcell");
  cell.colSpan = 6;
  const text = document.createElement("div");
  text.className = "tcell";
  text.textContent = words(row, next);
  cell.append(text);
  ghost.append(cell);
  if (!row) rows.table().tBodies[0].append(ghost);
  else if (next === "before") row.before(ghost);
  else if (next === "after" || book) rows.last(row).after(ghost);
  else row.after(ghost);
}

function hover(row, next) {
  if (ghost && row === over && next === zone) return;
  clear();
  over = row;
  zone = next;
  row?.classList.add(MARKS[next]);
  showGhost(row, next);
  if (row && next === "parent" && rows.open(row) === "false") opening = setTimeout(() => rows.setOpen(row, true), OPEN_MS);
}

// A runbook over the tree: into the ticket under the pointer, at the top where there is none.
function overTree(event) {
  scroll(event.clientY);
  const inside = event.target.closest?.(".treescroll");
  if (!inside) return clear();
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  if (event.target.closest(".ghost")) return undefined;
  return hover(event.target.closest(".tree tr[data-id]"), "parent");
}

function end() {
  clear();
  document.querySelectorAll("tr.is-dragging").forEach((row) => {
    row.classList.remove("is-dragging");
    row.draggable = false;
  });
  held = [];
  document.querySelectorAll(".book.is-held").forEach((one) => one.classList.remove("is-held"));
  book = null;
  delete document.body.dataset.dragging;
}

document.addEventListener("pointerdown", (event) => {
  const row = event.target.closest?.(".tree .grip")?.closest("tr[data-id]");
  if (row && rows.writable()) row.draggable = true;
});
document.addEventListener("pointerup", (event) => {
  const row = event.target.closest?.("tr[draggable=true]");
  if (row && !held.length) row.draggable = false;
});
document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.(".book[draggable=true]");
  if (card && rows.writable()) {
    book = { url: card.dataset.book, count: card.dataset.count, title: card.dataset.title };
    card.classList.add("is-held");
    document.body.dataset.dragging = "";
    event.dataTransfer.effectAllowed = "copy";
    event.dataTransfer.setData("text/plain", book.title);
    return;
  }
  const row = event.target.closest?.(".tree tr[data-id][draggable=true]");
  if (!row) return;
  held = several.bulk() ? several.chosen(row) : [row];
  held.forEach((one) => one.classList.add("is-dragging"));
  document.body.dataset.dragging = ""; // live refresh waits
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", held.map((one) => `#${one.dataset.id}`).join(" "));
});
document.addEventListener("dragover", (event) => {
  if (book) return overTree(event);
  if (!held.length) return;
  scroll(event.clientY);
  if (ghost && event.target.closest?.(".ghost")) {
    event.preventDefault(); // it came under the pointer: the place stays
    return;
  }
  const row = event.target.closest?.(".tree tr[data-id]");
  if (!row || held.some((one) => row === one || rows.below(one, row))) {
    clear();
    return;
  }
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  hover(row, place(row, event.clientY));
});
document.addEventListener("drop", (event) => {
  if (book && ghost) {
    event.preventDefault();
    const { url } = book;
    const under = over ? `?under=${over.dataset.id}` : "";
    const row = over ?? rows.now();
    end();
    openDialog(url + under, row ?? document.body);
    return;
  }
  if (!held.length || !over) return;
  event.preventDefault();
  const what = held.map((row) => ({ id: row.dataset.id, version: row.dataset.version, url: row.dataset.url }));
  const where = { [zone]: over.dataset.id };
  end();
  several.move(what, where);
});
document.addEventListener("dragend", end);
