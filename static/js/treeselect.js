// Several rows at once: X and Ctrl Space, Shift and arrows, Ctrl and Shift click select; the bar above the tree says how
// many and what can be done with them. Ctrl X takes rows up, Ctrl V puts them into the current row, Ctrl Shift V after it.
import { openDialog } from "./dialogs.js";
import { toast } from "./toasts.js";
import * as rows from "./treerows.js";

const picked = new Set();
const marked = new Set(); // rows that say so
let anchor = "";
let cut = []; // {id, version, url} in order of the tree

const bar = () => document.getElementById("bulk");
export const bulk = () => bar()?.dataset.bulk ?? "";
export const count = () => picked.size;
export const has = (row) => picked.has(row.dataset.id);
export const holds = () => cut.length > 0;

// The selected rows in order of the tree, or just this one.
export function chosen(row) {
  return picked.size && (!row || has(row)) ? rows.all().filter(has) : [row];
}

function show() {
  for (const row of marked) if (!has(row) || !row.isConnected) unmark(row);
  for (const id of picked) {
    const row = rows.find(id);
    if (!row) picked.delete(id);
    else if (row.getAttribute("aria-selected") !== "true") row.setAttribute("aria-selected", "true");
    if (row) marked.add(row);
  }
  const box = bar();
  if (!box) return;
  box.hidden = !picked.size;
  const words = box.querySelector("[data-bulk-count]");
  if (words.textContent !== String(picked.size)) words.textContent = String(picked.size);
}

function unmark(row) {
  row.removeAttribute("aria-selected");
  marked.delete(row);
}

export function toggle(row) {
  if (!rows.writable()) return;
  if (!picked.delete(row.dataset.id)) picked.add(row.dataset.id);
  anchor = row.dataset.id;
  show();
}

// Shift and an arrow: this row and the next one.
export function extend(row, by) {
  const next = rows.beside(row, by);
  if (!next || !rows.writable()) return;
  if (has(row) && has(next)) picked.delete(row.dataset.id); // back again
  else picked.add(row.dataset.id).add(next.dataset.id);
  anchor ||= row.dataset.id;
  rows.focus(next);
  show();
}

// Shift and a click: all between the last one selected (or the current one) and this.
export function range(row) {
  if (!rows.writable()) return;
  const list = rows.shown();
  const from = Math.max(0, list.indexOf(rows.find(anchor) ?? rows.now() ?? row));
  const to = list.indexOf(row);
  for (const one of list.slice(Math.min(from, to), Math.max(from, to) + 1)) picked.add(one.dataset.id);
  show();
}

export function clear() {
  const any = picked.size > 0 || cut.length > 0;
  picked.clear();
  anchor = "";
  cut = [];
  dim();
  show();
  return any;
}

export function openBulk(part, list = rows.all().filter(has)) {
  if (!bulk() || !list.length) return;
  const query = new URLSearchParams(list.map((row) => ["tickets", named(row.dataset)]));
  query.set("part", part);
  openDialog(`${bulk()}?${query}`, rows.table());
}

// -- Cut and paste ----------------------------------------------------------------------------------------------------
function dim() {
  document.querySelectorAll("tr.is-cut").forEach((row) => row.classList.remove("is-cut"));
  for (const { id } of cut) rows.find(id)?.classList.add("is-cut");
}

export function take(row) {
  if (!rows.writable()) return;
  const list = chosen(row);
  cut = list.map((one) => ({ id: one.dataset.id, version: one.dataset.version, url: one.dataset.url }));
  dim();
  rows.say(`${cut.length === 1 ? `#${cut[0].id} is` : `${cut.length} tickets are`} cut: go to a row and paste.`);
}

export async function put(row, side) {
  if (!cut.length) return;
  const inside = cut.some(({ id }) => id === row.dataset.id || (rows.find(id) && rows.below(rows.find(id), row)));
  if (inside) {
    toast("A branch cannot go into itself.", { bad: true });
    return;
  }
  const held = cut;
  if (!(await move(held, { [side]: row.dataset.id }))) return; // it stays cut: somebody may paste it elsewhere
  if (cut === held) cut = [];
  dim();
  picked.clear();
  show();
}

// held: {id, version, url} of each; where: {parent: id}, {before: id} or {after: id}. Several go at once, all or none, and
// keep their order. Gives whether they went.
export function move(held, where) {
  const tops = held.filter(({ id }) => !held.some((one) => one.id !== id && rows.find(one.id) && rows.find(id) && rows.below(rows.find(one.id), rows.find(id))));
  if (tops.length > 1) {
    const [side, id] = Object.entries(where)[0];
    const place = side === "parent" ? "last" : `${side}-${id}`;
    const tickets = tops.map(named);
    return rows.sendAll(bulk(), { part: "move", place, parent: where.parent ?? "", tickets }, where);
  }
  const [{ id, version, url }] = tops;
  const row = rows.find(id);
  return row ? rows.post(row, where) : rows.send(`${url}move/`, { ...where, version }, where);
}

// A ticket as the server is told which one it is, and what of it was seen.
const named = ({ id, version }) => `${id}:${version}`;

// -- The bar -----------------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const part = event.target.closest("[data-bulk-part]")?.dataset.bulkPart;
  if (part) openBulk(part);
  else if (event.target.closest("[data-bulk-clear]")) {
    clear();
    rows.focusCurrent();
  }
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const sent = ctx.request.method !== "GET" && ctx.response?.status < 300;
  if (sent && bulk() && String(ctx.request.action).includes(bulk())) clear();
});
document.addEventListener("htmx:after:settle", () => {
  show();
  dim();
});
