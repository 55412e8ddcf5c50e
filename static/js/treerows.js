// The rows of the tree: which are open, shown, focused. Rows come in order of the tree, so one pass is enough for each
// question. What somebody opened or closed is kept for the browser session, per page; after a swap it is put back.
const KEY = `tree:${location.pathname}`;
const kept = read();
const query = new URLSearchParams(location.search);
const narrowed = Boolean(query.get("q") || (query.get("show") ?? "all") !== "all"); // by the server: all it sent is wanted
let words = "";
let busy = false;

export const table = () => document.querySelector(".tree");
export const body = () => table()?.tBodies[0];
export const all = () => [...(body()?.rows ?? [])].filter((row) => row.dataset.id);
export const shown = () => all().filter((row) => !row.hidden);
export const writable = () => Boolean(table()?.dataset.add);
export const droppable = () => writable() && "drop" in table().dataset;
export const level = (row) => Number(row.getAttribute("aria-level"));
export const open = (row) => row.getAttribute("aria-expanded");
export const parent = (row) => (row.dataset.parent ? document.getElementById(`t${row.dataset.parent}`) : null);
export const siblings = (row) => all().filter((other) => other.dataset.parent === row.dataset.parent);
export const children = (row) => all().filter((other) => other.dataset.parent === row.dataset.id);
export const sibling = (row, by) => siblings(row)[siblings(row).indexOf(row) + by];

export function below(row, other) {
  for (let up = parent(other); up; up = parent(up)) if (up === row) return true;
  return false;
}

// -- What is kept ---------------------------------------------------------------------------------------------------
function read() {
  try {
    return { open: {}, at: "", ...JSON.parse(sessionStorage.getItem(KEY)) };
  } catch {
    return { open: {}, at: "" };
  }
}
function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // private mode: it holds for this page only
  }
}

// -- Open and close -----------------------------------------------------------------------------------------------------
function expand(row, value) {
  if (open(row) === null) return;
  row.setAttribute("aria-expanded", String(value));
  row.querySelector("button.twisty")?.setAttribute("aria-label", `${value ? "Collapse" : "Expand"} #${row.dataset.id}`);
}

export function setOpen(row, value) {
  if (open(row) === null) return;
  expand(row, value);
  if (!narrowed) kept.open[row.dataset.id] = value;
  keep();
  layout();
}

export function setLevel(most, button) {
  for (const row of all()) {
    if (open(row) === null) continue;
    expand(row, level(row) < most);
    kept.open[row.dataset.id] = level(row) < most;
  }
  document.querySelectorAll("[data-level]").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
  keep();
  layout();
}

// -- Quick filter ---------------------------------------------------------------------------------------------------------
// Mine, Overdue and the like are links: the server answers them. Typing narrows what is on the page.
export function setWords(text) {
  words = text.trim().toLowerCase();
  layout();
}

function test() {
  if (!words) return null;
  const said = (row) => `${row.querySelector(".tcell")?.textContent} ${row.querySelector(".k-who")?.textContent}`;
  return (row) => said(row).toLowerCase().includes(words);
}

// -- Which rows are seen ---------------------------------------------------------------------------------------------------
function layout() {
  const list = all();
  const hit = test();
  const context = new Set(); // branches above a hit stay, dimmed
  const hits = new Set();
  const closed = new Set();
  if (hit) {
    for (const row of list.toReversed()) {
      if (hit(row)) hits.add(row.dataset.id);
      if ((hits.has(row.dataset.id) || context.has(row.dataset.id)) && row.dataset.parent) context.add(row.dataset.parent);
    }
  }
  for (const row of list) {
    const { id, parent: up } = row.dataset;
    if (closed.has(up) || open(row) === "false") closed.add(id);
    row.hidden = hit ? !hits.has(id) && !context.has(id) : closed.has(up);
    row.classList.toggle("is-context", Boolean(hit) && !hits.has(id));
  }
  rove();
}

// One row can be reached by Tab: the current one, or the first that is seen.
function rove() {
  const list = shown();
  const current = list.find((row) => row.dataset.id === kept.at) ?? list[0];
  for (const row of all()) {
    const here = row === current;
    row.tabIndex = here ? 0 : -1;
    if (here && row.dataset.id === kept.at) row.setAttribute("aria-selected", "true");
    else row.removeAttribute("aria-selected");
  }
  return current;
}

export function focus(row) {
  if (!row) return;
  kept.at = row.dataset.id;
  keep();
  rove();
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

export function focusCurrent() {
  focus(rove());
}

// -- Changes ------------------------------------------------------------------------------------------------------------------
// where: {parent: id} (last in it), {before: id} or {after: id}
export async function post(row, where) {
  if (busy || !writable()) return;
  busy = true;
  kept.at = row.dataset.id;
  if (where.parent) kept.open[where.parent] = true;
  keep();
  const options = { source: row, target: "#tree-rows", swap: "outerMorph", values: { ...where, version: row.dataset.version } };
  try {
    await htmx.ajax("POST", `${row.dataset.url}move/`, options);
  } finally {
    busy = false;
  }
}

// An address ending in #t109 points at that row; so does the server by selecting it.
function pointed() {
  const named = document.getElementById(location.hash.slice(1));
  const row = named?.matches(".tree tr[data-id]") ? named : body()?.querySelector("tr[aria-selected]");
  if (!row) return;
  kept.at = row.dataset.id;
  for (let up = parent(row); up; up = parent(up)) kept.open[up.dataset.id] = true;
}

let focused = false;
document.addEventListener("htmx:before:swap", () => {
  focused = Boolean(body()?.contains(document.activeElement));
});

function restore() {
  for (const row of all()) {
    const wanted = narrowed ? undefined : kept.open[row.dataset.id];
    if (wanted !== undefined) expand(row, wanted);
  }
  layout();
  const lost = !document.activeElement || document.activeElement === document.body;
  if (focused && lost) focus(rove());
}

document.addEventListener("htmx:after:settle", (event) => {
  if (table()?.contains(event.target) || event.target.contains?.(table())) restore();
});
pointed();
restore();
if (location.hash) document.getElementById(`t${kept.at}`)?.scrollIntoView({ block: "center" });
