// A new row in place: an input where the ticket will stand. Enter adds it and opens the next one, Esc closes. The server
// is told as by the form (data-add); what it refuses is said in a toast and stays in the input.
import { openDialog } from "./dialogs.js";
import { toast } from "./toasts.js";
import * as rows from "./treerows.js";

let line = null; // the row with the input
let goal = null; // {parent, after}: numbers as the form takes them; one for each line that was opened
let busy = false;
const waiting = []; // {title, goal} on their way, in order: each goes where its own line stood
let expected = null; // {parent, most}: the dialog is open for a ticket below `parent`

function most() {
  return Math.max(0, ...rows.all().map((row) => Number(row.dataset.id)));
}

function make(level, label) {
  const row = document.createElement("tr");
  row.className = "adding";
  row.setAttribute("role", "row");
  row.setAttribute("aria-level", level);
  const cell = document.createElement("td");
  cell.setAttribute("role", "gridcell");
  cell.colSpan = 6;
  const form = document.createElement("form");
  form.className = "tcell";
  const input = document.createElement("input");
  input.className = "form-control";
  input.maxLength = 200;
  input.autocomplete = "off";
  input.placeholder = "Title, then Enter";
  input.setAttribute("aria-label", label);
  form.append(input);
  cell.append(form);
  row.append(cell);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    add(input);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  return row;
}

const input = () => line?.querySelector("input");

function place() {
  const beside = rows.find(goal.after);
  const into = rows.find(goal.parent);
  if (beside) rows.last(beside).after(line);
  else if (into) rows.last(into).after(line);
  else rows.body().append(line);
}

// A child of the row (last in it), or a sibling just after it.
export async function openLine(row, { sibling = false } = {}) {
  if (!rows.writable()) return;
  close();
  if (!sibling) await rows.setOpen(row, true);
  close(); // another one may have been opened meanwhile
  goal = sibling ? { after: row.dataset.id, parent: row.dataset.parent } : { parent: row.dataset.id };
  const above = sibling ? row.dataset.parent : row.dataset.id;
  const label = above ? `Title of a new ticket below #${above}` : "Title of a new ticket";
  line = make(rows.level(row) + (sibling ? 0 : 1), label);
  place();
  input().focus();
  line.scrollIntoView({ block: "nearest" });
}

function close() {
  if (!line) return;
  const back = rows.now() ?? rows.find(goal.after ?? goal.parent);
  const here = line.contains(document.activeElement);
  line.remove();
  line = null;
  if (here) rows.focus(back);
}

// Whoever types on while a title is on its way loses nothing: titles wait in a row, and what is refused comes back.
async function add(field) {
  const title = field.value.trim();
  if (!title) return waiting.length ? undefined : close();
  waiting.push({ title, goal });
  field.value = "";
  if (busy) return undefined;
  busy = true;
  const refused = [];
  try {
    while (waiting.length) {
      const [next] = waiting;
      const before = most();
      if (await sent(next)) await added(before, next.goal);
      else refused.push(next);
      waiting.shift();
    }
  } finally {
    busy = false;
    giveBack([...refused, ...waiting.splice(0)]);
  }
  return undefined;
}

// The first goes back into the line it was typed in, if that is open and empty; a note that stays has the others.
function giveBack(lost) {
  const [first] = lost;
  const left = first && line && first.goal === goal && !input().value ? lost.slice(1) : lost;
  if (left !== lost) input().value = first.title;
  if (left.length) toast(`Not added: ${left.map(({ title }) => `“${title}”`).join(", ")}`, { bad: true, sticky: true });
}

function sent({ title, goal: to }) {
  const where = to.after ? { after: to.after } : { parent: to.parent };
  return rows.ask("POST", rows.table().dataset.add, { title, close: "1", ...where }, "none");
}

async function added(before, to) {
  await rows.refetch();
  const above = rows.find(to.parent);
  if (above) await rows.setOpen(above, true); // it had nothing below it before
  const newest = made(before, to.parent ?? "").at(-1);
  if (!newest) return;
  rows.say(`#${newest.dataset.id} added.`);
  if (to.after) to.after = newest.dataset.id;
  if (!line && !document.querySelector("dialog[open]")) rows.focus(newest);
  if (!line || to !== goal) return;
  rows.point(newest);
  place();
  input().focus();
  line.scrollIntoView({ block: "nearest" });
}

function made(before, parent) {
  return rows.all().filter((row) => Number(row.dataset.id) > before && row.dataset.parent === parent);
}

// While rows are swapped the line steps aside, and comes back with what is typed in it.
let inside = false;
document.addEventListener("htmx:before:swap", () => {
  if (!line?.isConnected) return;
  inside = line.contains(document.activeElement);
  line.remove();
});
function comeBack() {
  if (!line || line.isConnected || !rows.body()) return;
  place();
  if (inside) input().focus();
}
document.addEventListener("htmx:after:swap", comeBack); // at once: somebody may be typing
document.addEventListener("htmx:after:settle", () => {
  comeBack();
  arrived();
});

// -- By the dialog: for more than a title, and where the tree is empty ---------------------------------------------------
export function openForm(parent) {
  const url = rows.table().dataset.add;
  if (!url) return;
  expected = { parent: parent ?? "", most: most() };
  const row = rows.find(parent);
  if (row) rows.setOpen(row, true);
  openDialog(parent ? `${url}?parent=${encodeURIComponent(parent)}` : url, rows.now() ?? rows.table());
}

function arrived() {
  if (!expected) return;
  const newest = made(expected.most, expected.parent).at(-1);
  if (!newest) return;
  expected.most = most();
  const row = rows.find(expected.parent);
  if (row) rows.setOpen(row, true);
  rows.point(newest);
}

document.getElementById("dialog")?.addEventListener("close", () => {
  if (expected && rows.now() && Number(rows.now().dataset.id) === expected.most) rows.focus(rows.now());
});
