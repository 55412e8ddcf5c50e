// Runs before the first paint, so it is no module. The theme is "system" (follow the device), "light" or "dark",
// kept in this browser.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const order = { system: "light", light: "dark", dark: "system" };
  const read = () => {
    try {
      const kept = localStorage.getItem("theme");
      return kept in order ? kept : "system";
    } catch {
      return "system"; // private mode: nothing is kept
    }
  };
  const apply = (choice) => {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    root.dataset.bsTheme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
  };
  const label = (choice) =>
    document.querySelectorAll("[data-theme-toggle]").forEach((b) => b.setAttribute("aria-label", `Theme: ${choice}`));

  let choice = read();
  apply(choice);
  dark.addEventListener("change", () => apply(choice));
  document.addEventListener("DOMContentLoaded", () => label(choice));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    choice = order[choice];
    try {
      localStorage.setItem("theme", choice);
    } catch {
      // private mode: it holds for this page only
    }
    apply(choice);
    label(choice);
  });
})();
