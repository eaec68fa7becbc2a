// Toasts go after six seconds, unless somebody is at them; warnings stay. What they say is told.
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
      if (phone.matches && node.matches("details.filters")) node.open = false;
    }
}).observe(root, { childList: true, subtree: true });

// A part that was swapped in and has a result to tell carries data-says; what comes with its page is read there.
atStart(() => each("[data-says]", (part) => part.removeAttribute("data-says")));
document.addEventListener("htmx:after:swap", () =>
  each("[data-says]", (part) => {
    tell(part.dataset.says || part.innerText);
    part.removeAttribute("data-says");
  }));
