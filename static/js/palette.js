// The palette: Ctrl-K or Cmd-K opens a box that jumps to whatever is typed. The server finds, the arrows choose, Enter goes.
// The focus stays in the box; what is chosen is told by aria-activedescendant.
const dialog = () => document.getElementById("palette");
const box = () => document.getElementById("palette-q");
const options = () => [...document.querySelectorAll("#palette-list [role=option]")];
let asked = false, eager = false;

const choose = (option) => {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (!option) return box().removeAttribute("aria-activedescendant");
  box().setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};
const chosen = () => document.querySelector("#palette-list [aria-selected=true]");
const open = () => {
  if (!dialog() || document.querySelector("dialog:modal")) return;
  each("details.menu[open], details.bar-menu[open]", (menu) => menu.removeAttribute("open"));
  dialog().showModal();
  box().value = "";
  box().focus();
  asked = true;
  box().dispatchEvent(new Event("palette:open"));
};

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  if (dialog()?.open) dialog().close();
  else open();
});
on("click", "[data-palette]", (_, event) => {
  if (!dialog()) return;
  event.preventDefault();
  open();
});
on("input", "#palette-q", () => ((asked = true), (eager = false)));
on("keydown", "#palette-q", (_, event) => {
  const all = options(), at = all.indexOf(chosen());
  const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, PageDown: Math.min(at + 5, all.length - 1), PageUp: Math.max(at - 5, 0) }[event.key];
  if (to !== undefined && all.length) {
    event.preventDefault();
    choose(all[to]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (asked) eager = true;
    else if (event.ctrlKey || event.metaKey) window.open(chosen()?.href, "_blank", "noopener");
    else chosen()?.click();
  }
});
on("pointermove", "#palette-list [role=option]", (option) => option.ariaSelected === "true" || choose(option));
document.addEventListener("htmx:after:swap", () => {
  const found = document.querySelector("#palette-found[data-new]");
  if (!found) return;
  found.removeAttribute("data-new");
  asked = false;
  choose(options()[0]);
  if (eager) chosen()?.click();
  eager = false;
});
window.addEventListener("pagehide", () => dialog()?.close());
