// The one live region: what is told here is read out wherever it happened. A part that was swapped in says so by data-says.
const tell = (words) => {
  const region = document.getElementById("said");
  if (!region || !words) return;
  region.textContent = "";
  setTimeout(() => (region.textContent = words), 50);
};

// A short word for what the page doesn't show itself.
const say = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts")?.append(toast);
};

// Toasts go after six seconds, unless somebody is at them; warnings stay.
const lifetime = 6000;
const arm = (toast) => {
  tell(toast.innerText);
  if (toast.matches(".tone-warn, .tone-bad")) return;
  let timer = 0;
  const stay = () => clearTimeout(timer);
  const go = () => {
    stay();
    if (!toast.matches(":hover, :focus-within")) timer = setTimeout(() => toast.remove(), lifetime);
  };
  toast.addEventListener("pointerenter", stay);
  toast.addEventListener("focusin", stay);
  toast.addEventListener("pointerleave", () => setTimeout(go));
  toast.addEventListener("focusout", () => setTimeout(go));
  go();
};

// On a phone the filters start folded: as they come, before they are drawn.
const phone = matchMedia("(max-width: 767.98px)");
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes) {
      if (!(node instanceof Element)) continue;
      if (node.matches(".toast")) arm(node);
      if (phone.matches && document.readyState === "loading" && node.matches("details.filters")) node.open = false;
    }
}).observe(root, { childList: true, subtree: true });
document.addEventListener("htmx:after:swap", () => each("[data-says]", (part) => (tell(part.dataset.says || part.innerText), part.removeAttribute("data-says"))));
