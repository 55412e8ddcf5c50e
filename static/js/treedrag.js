// Dragging rows of the tree by their grip: one, or all that are selected. Three zones in a row: upper quarter = before it,
// lower = after it, middle = inside. A dashed row shows where they will stand, a closed branch opens after a moment,
// edges scroll, a branch cannot go into itself. Without a pointer the same is done by M, Alt and arrows, cut and paste,
// or the menu of the row.
import * as rows from "./treerows.js";
import * as several from "./treeselect.js";

const OPEN_MS = 600;
const EDGE_PX = 40;
const MARKS = { before: "is-above", after: "is-below", parent: "is-into" };
const WORDS = { before: "before", after: "after", parent: "in" };
let held = []; // rows in order of the tree
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

// It stands between two rows, so that the row under the pointer stays under the pointer.
function showGhost(row, next) {
  ghost = document.createElement("tr");
  ghost.className = "ghost";
  ghost.setAttribute("role", "row");
  ghost.setAttribute("aria-level", rows.level(row) + (next === "parent" ? 1 : 0));
  const cell = document.createElement("td");
  cell.setAttribute("role", "gridcell");
  cell.colSpan = 6;
  const text = document.createElement("div");
  text.className = "tcell";
  const what = held.length === 1 ? `#${held[0].dataset.id} goes` : `${held.length} tickets go`;
  text.textContent = `${what} here, ${WORDS[next]} #${row.dataset.id}`;
  cell.append(text);
  ghost.append(cell);
  if (next === "before") row.before(ghost);
  else if (next === "after") rows.last(row).after(ghost);
  else row.after(ghost);
}

function hover(row, next) {
  if (row === over && next === zone) return;
  clear();
  over = row;
  zone = next;
  row.classList.add(MARKS[next]);
  showGhost(row, next);
  if (next === "parent" && rows.open(row) === "false") opening = setTimeout(() => rows.setOpen(row, true), OPEN_MS);
}

function end() {
  clear();
  document.querySelectorAll("tr.is-dragging").forEach((row) => {
    row.classList.remove("is-dragging");
    row.draggable = false;
  });
  held = [];
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
  const row = event.target.closest?.(".tree tr[data-id][draggable=true]");
  if (!row) return;
  held = several.bulk() ? several.chosen(row) : [row];
  held.forEach((one) => one.classList.add("is-dragging"));
  document.body.dataset.dragging = ""; // live refresh waits
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", held.map((one) => `#${one.dataset.id}`).join(" "));
});
document.addEventListener("dragover", (event) => {
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
  if (!held.length || !over) return;
  event.preventDefault();
  const what = held.map((row) => ({ id: row.dataset.id, version: row.dataset.version, url: row.dataset.url }));
  const where = { [zone]: over.dataset.id };
  end();
  several.move(what, where);
});
document.addEventListener("dragend", end);
