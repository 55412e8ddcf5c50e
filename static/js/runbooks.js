// Runbooks beside the tree: R, the menu of a row and the button of the toolbar open the palette (the dialog on a narrow
// page). Enter on a runbook inserts it in the current row, dragging it (treedrag.js) in the row it is dropped on.
import { openDialog } from "./dialogs.js";
import * as rows from "./treerows.js";

const WIDE = matchMedia("(min-width: 1200px)");
const panel = () => document.getElementById("runbook-panel");
const other = () => document.getElementById("ticket-panel");

export function openPalette(row) {
  const box = panel();
  if (!box || !rows.writable()) return undefined;
  const under = row ? `under=${row.dataset.id}` : "";
  if (!WIDE.matches) return openDialog(`${box.dataset.runbooks}?${under}`, row ?? document.body);
  if (other()) other().hidden = true;
  box.hidden = false;
  const ready = box.childElementCount
    ? Promise.resolve()
    : htmx.ajax("GET", `${box.dataset.runbooks}?beside=1`, { source: box, target: "#runbook-panel", swap: "innerHTML" });
  return ready.then(() => {
    const back = box.querySelector("[data-panel=ticket]");
    if (back) back.hidden = !other()?.childElementCount;
    box.querySelector("[data-book-filter]")?.focus();
  });
}

export function closePalette({ focus = true } = {}) {
  if (!panel() || panel().hidden) return;
  panel().hidden = true;
  if (focus) rows.focusCurrent();
}

// What is typed narrows the list: words of title and summary.
function narrow(field) {
  const words = field.value.trim().toLowerCase();
  const list = field.closest("section");
  for (const one of list.querySelectorAll("[data-book-text]")) {
    one.hidden = !one.dataset.bookText.toLowerCase().includes(words);
  }
  for (const head of list.querySelectorAll("h3")) {
    let next = head.nextElementSibling;
    while (next?.matches("[data-book-text][hidden]")) next = next.nextElementSibling;
    head.hidden = !next?.matches("[data-book-text]");
  }
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-book-filter]")) narrow(event.target);
});
document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.("#runbook-panel")) return;
  if (event.key === "Escape") closePalette();
  else if (event.key === "Enter" && event.target.matches("[data-book-filter]")) {
    event.preventDefault(); // the first that is left
    panel().querySelector("[data-book-text]:not([hidden]) .book")?.focus();
  }
});
document.addEventListener(
  "click",
  (event) => {
    const open = event.target.closest("[data-open-palette]");
    if (open && panel()) {
      event.preventDefault();
      openPalette(rows.now());
      return;
    }
    if (!event.target.closest("#runbook-panel")) return;
    const card = event.target.closest(".book");
    if (card) card.href = card.dataset.book + (rows.now() ? `?under=${rows.now().dataset.id}` : "");
    else if (event.target.closest("[data-close]")) closePalette();
    else if (event.target.closest("[data-panel=ticket]")) {
      closePalette({ focus: false });
      other().hidden = false;
    }
  },
  true,
);
document.addEventListener("submit", (event) => {
  const form = event.target.closest("#runbook-panel form");
  if (!form) return;
  event.preventDefault();
  const query = new URLSearchParams(new FormData(form));
  if (rows.now()) query.set("under", rows.now().dataset.id);
  if (query.has("choose")) openDialog(`${form.action}?${query}`, form);
});
