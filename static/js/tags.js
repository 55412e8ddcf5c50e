// Tags as chips. A text field with data-tags, words separated by commas, becomes a row of chips with a field to add one:
// Enter or a comma adds, Backspace in the empty field takes the last one away, each chip has its own button. The field
// itself stays in the form, unseen, and is sent as it always was.
function icon() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  const sheet = document.querySelector("svg.icon use")?.getAttribute("href")?.split("#")[0] ?? "";
  use.setAttribute("href", `${sheet}#x`);
  svg.append(use);
  return svg;
}

function split(text) {
  return text.split(",").map((word) => word.trim()).filter(Boolean);
}

function dress(kept) {
  const entry = kept.cloneNode();
  const box = document.createElement("div");
  const said = document.createElement("span");
  let words = split(kept.value);
  box.className = "tagbox form-control";
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  for (const name of ["name", "value", "required", "maxlength", "data-tags"]) entry.removeAttribute(name);
  entry.className = "tagentry";
  entry.value = "";
  const had = document.activeElement === kept;
  kept.type = "hidden";
  for (const name of ["id", "autofocus", "data-tags"]) kept.removeAttribute(name);

  const chip = (word) => {
    const one = document.createElement("span");
    const text = document.createElement("span");
    const button = document.createElement("button");
    one.className = "tag is-line";
    text.className = "text-break";
    text.textContent = word;
    button.type = "button";
    button.setAttribute("aria-label", `Remove ${word}`);
    button.append(icon());
    button.addEventListener("click", () => without(word));
    one.append(text, button);
    return one;
  };
  const write = () => {
    kept.value = [...words, ...split(entry.value)].join(", ");
  };
  const show = () => {
    box.replaceChildren(...words.map(chip), entry, said);
    write();
    box.dispatchEvent(new Event("input", { bubbles: true })); // something is typed and not saved
  };
  const without = (word) => {
    words = words.filter((other) => other !== word);
    show();
    said.textContent = `${word} removed`;
    entry.focus();
  };
  const take = (text) => {
    const fresh = split(text).filter((word) => !words.includes(word));
    words = [...words, ...new Set(fresh)];
    entry.value = "";
    show();
    said.textContent = fresh.length ? `${fresh.join(", ")} added` : "";
    entry.focus();
  };
  entry.addEventListener("input", () => {
    if (entry.value.includes(",")) take(entry.value);
    else write();
  });
  entry.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && entry.value.trim()) {
      event.preventDefault();
      take(entry.value);
    } else if (event.key === "Backspace" && !entry.value && words.length) {
      event.preventDefault();
      without(words.at(-1));
    }
  });
  box.addEventListener("click", (event) => event.target === box && entry.focus());
  box.append(...words.map(chip), entry, said);
  kept.after(box);
  if (had) entry.focus();
}

function dressAll() {
  document.querySelectorAll("input[data-tags]").forEach(dress);
}
document.addEventListener("htmx:after:swap", dressAll);
dressAll();
