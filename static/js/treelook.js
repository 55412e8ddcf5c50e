// What is new to its reader: after three seconds in sight the page tells the server that somebody looked, and again every
// few minutes while it stays in sight.
import * as rows from "./treerows.js";

const GLANCE_MS = 3000;
const AGAIN_MS = 300000;
let timer = 0;

function wait(ms) {
  clearTimeout(timer);
  if (!document.hidden && rows.table()) timer = setTimeout(visit, ms);
}

function visit() {
  rows.tell({ visit: "1" });
  wait(AGAIN_MS);
}

document.addEventListener("visibilitychange", () => wait(GLANCE_MS));
wait(GLANCE_MS);
