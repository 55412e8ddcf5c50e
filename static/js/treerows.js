// The rows of the tree: which are open, shown, focused. Rows come in order of the tree, so one pass is enough for each
// question. The server keeps what somebody opened or closed (data-look) and makes the rows accordingly; what was done on
// this page since then is put back after a swap, for an answer may have been on its way. Of a big tree only rows of
// open branches are here: opening one that is away (data-away) fetches them.
const KEY = `tree:${location.pathname}`;
const LOOK_MS = 400;
const MOST_SENT = 1000; // numbers that one request tells of
const mine = new Map(); // number → open, as it was set on this page
const unsent = new Map(); // number → whether it stands otherwise than the levels say
let at = recall(); // number of the current row
let current = null;
let words = "";
let busy = false;
let sending = 0;

export const table = () => document.querySelector(".tree");
export const body = () => table()?.tBodies[0];
export const all = () => [...(body()?.rows ?? [])].filter((row) => row.dataset.id);
export const shown = () => all().filter((row) => !row.hidden);
export const find = (id) => (id ? document.getElementById(`t${id}`) : null);
export const writable = () => Boolean(table()?.dataset.add);
export const droppable = () => writable() && "drop" in table().dataset;
export const level = (row) => Number(row.getAttribute("aria-level"));
export const open = (row) => row.getAttribute("aria-expanded");
export const parent = (row) => find(row.dataset.parent);
export const siblings = (row) => all().filter((other) => other.dataset.parent === row.dataset.parent);
export const children = (row) => all().filter((other) => other.dataset.parent === row.dataset.id);
export const sibling = (row, by) => siblings(row)[siblings(row).indexOf(row) + by];
export const now = () => find(at);
const own = () => "own" in body().dataset; // folded as the reader keeps the tree, not as the address says
const narrowed = () => "narrowed" in body().dataset; // by the server: all it sent is wanted

export function below(row, other) {
  for (let up = parent(other); up; up = parent(up)) if (up === row) return true;
  return false;
}

// The next row that is seen, up (-1) or down (1).
export function beside(row, by) {
  const step = by < 0 ? "previousElementSibling" : "nextElementSibling";
  for (let other = row[step]; other; other = other[step]) if (other.dataset.id && !other.hidden) return other;
  return null;
}

// The last row of a branch that is on the page; the row itself where it has none.
export function last(row) {
  let end = row;
  for (let next = row.nextElementSibling; next?.dataset.id && level(next) > level(row); next = next.nextElementSibling) end = next;
  return end;
}

export function say(text) {
  const place = document.getElementById("treesaid");
  if (place) place.textContent = text;
}

// -- What is kept ---------------------------------------------------------------------------------------------------
function recall() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
function keep() {
  try {
    sessionStorage.setItem(KEY, at);
  } catch {
    // private mode: it holds for this page only
  }
}

// Tells the server how its reader looks at the tree, in the background; it outlives the page.
export function tell(values) {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}");
  const headers = { "X-CSRFToken": token, "HX-Request": "true" };
  return fetch(table().dataset.look, { method: "POST", headers, body: new URLSearchParams(values), keepalive: true }).catch(() => {});
}
function tellSome(part) {
  const named = (wanted) => part.filter(([, flip]) => flip === wanted).map(([id]) => id).join(",");
  return tell({ flip: named(true), unflip: named(false) });
}
// One after the other; what was not taken stays, and is told with what comes next.
async function tellAll() {
  while (unsent.size) {
    const part = [...unsent].slice(0, MOST_SENT);
    const answer = await tellSome(part);
    if (!answer?.ok) return;
    for (const [id, flip] of part) if (unsent.get(id) === flip) unsent.delete(id);
  }
}
let telling = Promise.resolve();
function flush() {
  clearTimeout(sending);
  telling = telling.then(tellAll);
  return telling;
}
addEventListener("pagehide", () => {
  const all = [...unsent]; // all at once: after this nothing can wait for an answer
  for (let from = 0; from < all.length; from += MOST_SENT) tellSome(all.slice(from, from + MOST_SENT));
});
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  const source = ctx.sourceElement;
  if (source?.matches?.("form[data-asks]")) source.dataset.asks = ctx.response?.status < 300 ? "yes" : "no";
});

// -- Rows from the server -------------------------------------------------------------------------------------------
// Gives whether the server did it; what it refused it has said by then, in a toast or in the dialog.
export async function ask(method, url, values = {}, swap = "outerMorph") {
  const source = document.createElement("form"); // of its own: the tag of what is polled is not sent along
  const target = swap === "none" ? "#toasts" : "#tree-rows";
  source.hidden = true;
  source.dataset.asks = "";
  source.setAttribute("hx-target", target); // what the server is told as HX-Target
  for (const [name, value] of Object.entries(values).flatMap(([key, some]) => [some].flat().map((one) => [key, one]))) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value: value ?? "" });
    source.append(input);
  }
  table().parentElement.append(source);
  try {
    await htmx.ajax(method, url, { source, target, swap });
    return source.dataset.asks === "yes";
  } finally {
    source.remove();
  }
}

export async function refetch(more = {}) {
  await flush();
  const url = new URL(body().dataset.rows, location.origin);
  if (!own() && !narrowed()) {
    const rows = all().filter((row) => open(row) !== null);
    const known = new Set(rows.map((row) => row.dataset.id));
    const away = (url.searchParams.get("flip") ?? "").split(",").filter((id) => id && !known.has(id));
    const flip = rows.filter((row) => (open(row) === "true") !== (row.dataset.usual === "1")).map((row) => row.dataset.id);
    if (flip.length || away.length) url.searchParams.set("flip", [...away, ...flip].join(","));
    else url.searchParams.delete("flip");
  }
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  await ask("GET", url.pathname + url.search);
}

// -- Open and close -----------------------------------------------------------------------------------------------------
function expand(row, value) {
  if (open(row) === null || open(row) === String(value)) return;
  row.setAttribute("aria-expanded", String(value));
  row.querySelector("button.twisty")?.setAttribute("aria-label", `${value ? "Collapse" : "Expand"} #${row.dataset.id}`);
}

export function setOpen(row, value) {
  return setAllOpen([row], value);
}

export async function setAllOpen(rows, value) {
  let fetches = false;
  for (const row of rows) {
    if (open(row) === null || open(row) === String(value)) continue;
    expand(row, value);
    if (narrowed()) continue;
    mine.set(row.dataset.id, value);
    if (own()) unsent.set(row.dataset.id, value !== (row.dataset.usual === "1"));
    fetches ||= value && "away" in row.dataset;
  }
  clearTimeout(sending);
  if (unsent.size) sending = setTimeout(flush, LOOK_MS);
  layout();
  if (fetches) await refetch();
}

export async function setLevel(name) {
  await flush();
  mine.clear();
  unsent.clear(); // it was meant beside the depth until now
  const url = new URL(location.href);
  for (const asked of ["levels", "flip", "view"]) url.searchParams.delete(asked);
  history.replaceState(history.state, "", url);
  await ask("POST", table().dataset.look, { levels: name });
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
    const hidden = hit ? !hits.has(id) && !context.has(id) : closed.has(up);
    const dim = Boolean(hit) && !hits.has(id);
    if (row.hidden !== hidden) row.hidden = hidden;
    if (row.classList.contains("is-context") !== dim) row.classList.toggle("is-context", dim);
  }
  rove();
}

// One row can be reached by Tab: the current one, or the first that is seen. Only the row before and the row now change.
function rove() {
  const wanted = find(at);
  const next = wanted && !wanted.hidden ? wanted : shown()[0];
  if (current !== next || current?.tabIndex !== 0) {
    const before = current?.isConnected ? [current] : [...(body()?.querySelectorAll("tr[tabindex='0']") ?? [])];
    for (const row of before) if (row !== next) row.tabIndex = -1;
    if (next) next.tabIndex = 0;
  }
  current = next ?? null;
  return current;
}

// Make a row the current one, without taking the focus.
export function point(row) {
  at = row.dataset.id;
  keep();
  rove();
}

export function focus(row) {
  if (!row) return;
  point(row);
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

export function focusCurrent() {
  focus(rove());
}

// -- Changes ------------------------------------------------------------------------------------------------------------------
// where: {parent: id} (last in it), {before: id} or {after: id}
export function post(row, where) {
  at = row.dataset.id;
  return send(`${row.dataset.url}move/`, { ...where, version: row.dataset.version }, where);
}

export async function send(url, values, where) {
  if (busy || !writable()) return false;
  let done = false;
  busy = true;
  keep();
  try {
    done = await ask("POST", url, values);
  } finally {
    busy = false;
  }
  if (!done) return false;
  const into = find(where.parent);
  if (into) await setOpen(into, true);
  if (focused) focus(find(at));
  return true;
}

// Of several rows: the answer says what was done, and the rows are asked for after it.
export async function sendAll(url, values, where) {
  if (busy || !writable()) return false;
  let done = false;
  busy = true;
  try {
    done = await ask("POST", url, values, "none");
  } finally {
    busy = false;
  }
  if (!done) return false;
  await refetch();
  const into = find(where.parent);
  if (into) await setOpen(into, true);
  focus(find(at));
  return true;
}

// An address ending in #t109 points at that row; so does the server by naming it as current.
function pointed() {
  const named = location.hash.match(/^#t([1-9]\d{0,8})$/)?.[1];
  const row = find(named) ?? body()?.querySelector("tr[aria-current]");
  if (named && !row && all().length) return refetch({ ticket: named }).then(() => reveal(find(named)));
  return row ? reveal(row) : undefined;
}

function reveal(row) {
  if (!row) return;
  at = row.dataset.id;
  for (let up = parent(row); up; up = parent(up)) {
    expand(up, true);
    mine.set(up.dataset.id, true);
  }
  layout();
  if (location.hash) row.scrollIntoView({ block: "center" });
}

let focused = false;
document.addEventListener("htmx:before:swap", () => {
  focused = Boolean(body()?.contains(document.activeElement));
});

function restore() {
  if (!body()) return;
  if (!narrowed()) for (const [id, value] of mine) if (find(id)) expand(find(id), value);
  layout();
  const lost = !document.activeElement || document.activeElement === document.body;
  if (focused && lost) focus(rove());
}

document.addEventListener("htmx:after:settle", (event) => {
  if (table()?.contains(event.target) || event.target.contains?.(table())) restore();
});
restore();
pointed();
