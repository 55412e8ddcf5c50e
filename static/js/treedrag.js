// Dragging rows of the tree by their grip. Three zones in a row: upper quarter = before it, lower = after it, middle =
// inside. A closed branch opens after a moment, edges scroll, a branch cannot go into itself. Without a pointer the
// same is done by M, Alt and arrows, or the menu of the row.
import * as rows from "./treerows.js";

const OPEN_MS = 600;
const EDGE_PX = 40;
const MARKS = { before: "is-above", after: "is-below", parent: "is-into" };
let held = null;
let over = null;
let zone = "";
let opening = 0;

function clear() {
  clearTimeout(opening);
  document.querySelectorAll(".is-into, .is-above, .is-below").forEach((row) => row.classList.remove(...Object.values(MARKS)));
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

function hover(row, next) {
  if (row === over && next === zone) return;
  clear();
  over = row;
  zone = next;
  row.classList.add(MARKS[next]);
  if (next === "parent" && rows.open(row) === "false") opening = setTimeout(() => rows.setOpen(row, true), OPEN_MS);
}

function end() {
  clear();
  document.querySelectorAll("tr.is-dragging").forEach((row) => {
    row.classList.remove("is-dragging");
    row.draggable = false;
  });
  held = null;
  delete document.body.dataset.dragging;
}

document.addEventListener("pointerdown", (event) => {
  const row = event.target.closest?.(".tree .grip")?.closest("tr[data-id]");
  if (row && rows.writable()) row.draggable = true;
});
document.addEventListener("pointerup", (event) => {
  const row = event.target.closest?.("tr[draggable=true]");
  if (row && !held) row.draggable = false;
});
document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.(".tree tr[data-id][draggable=true]");
  if (!row) return;
  held = row;
  row.classList.add("is-dragging");
  document.body.dataset.dragging = ""; // live refresh waits
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", `#${row.dataset.id}`);
});
document.addEventListener("dragover", (event) => {
  if (!held) return;
  scroll(event.clientY);
  const row = event.target.closest?.(".tree tr[data-id]");
  if (!row || row === held || rows.below(held, row)) {
    clear();
    return;
  }
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  hover(row, place(row, event.clientY));
});
document.addEventListener("drop", (event) => {
  if (!held || !over) return;
  event.preventDefault();
  const row = held;
  const where = { [zone]: over.dataset.id };
  end();
  rows.post(row, where);
});
document.addEventListener("dragend", end);
