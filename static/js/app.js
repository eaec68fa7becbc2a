// Makes pages smoother. Every page works without this file: it only adds to links and forms that are there already.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const found = event.target instanceof Element ? event.target.closest(selector) : null;
      if (found) act(found, event);
    });
  const each = (selector, act, within = document) => within.querySelectorAll(selector).forEach(act);

  // "/" goes to the find box, unless somebody is typing.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const find = document.querySelector("[data-find]");
    if (!find) return;
    event.preventDefault();
    find.focus();
    find.select();
  });

  // Copy: data-copy holds the text, data-copy-from the id of the element that shows it; data-copy-link copies the address.
  const textToCopy = (button) => {
    if (button.dataset.copyFrom) return document.getElementById(button.dataset.copyFrom)?.textContent ?? "";
    if ("copyLink" in button.dataset) return location.href;
    return button.dataset.copy ?? "";
  };
  on("click", "[data-copy], [data-copy-from], [data-copy-link]", async (button, event) => {
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(textToCopy(button));
      button.dataset.copied = "";
      say("Copied");
      setTimeout(() => delete button.dataset.copied, 1600);
    } catch {
      say("The browser did not allow copying. Select the text instead.");
    }
  });

  // A short word for what the page doesn't show itself. Warnings stay.
  const say = (text) => {
    const box = document.getElementById("toasts");
    if (!box) return;
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.textContent = text;
    box.append(toast);
  };
  // On a phone the filters start folded: as they come, before they are drawn.
  const phone = matchMedia("(max-width: 767.98px)");
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.matches(".toast:not(.tone-warn, .tone-bad)")) setTimeout(() => node.remove(), 6000);
        if (phone.matches && document.readyState === "loading" && node.matches("details.filters")) node.open = false;
      }
  }).observe(root, { childList: true, subtree: true });

  // Dialogs: a trigger is a link to the page with the dialog open; here it opens in place.
  on("click", "[data-dialog]", (trigger, event) => {
    const dialog = document.getElementById(trigger.dataset.dialog);
    if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    trigger.closest("details.menu")?.removeAttribute("open");
    dialog.showModal();
  });
  on("click", "[data-close]", (closer, event) => {
    const dialog = closer.closest("dialog");
    if (!dialog || "served" in dialog.dataset) return;
    event.preventDefault();
    dialog.close();
  });
  const openServedDialogs = () =>
    each("dialog.modal[open]", (dialog) => {
      if (dialog.matches(":modal")) return;
      dialog.close();
      dialog.dataset.served = "";
      dialog.showModal();
    });

  // Menus close on a click elsewhere and on Escape.
  document.addEventListener("click", (event) =>
    each("details.menu[open]", (menu) => menu.contains(event.target) || menu.removeAttribute("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    each("details.menu[open]", (menu) => {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    });
  });

  // A sent form's button says so until the answer is there.
  document.addEventListener("submit", (event) => {
    const button = event.submitter ?? event.target.querySelector("[type=submit]");
    if (event.defaultPrevented && !event.target.matches("[hx-post], [hx-get]")) return;
    if (event.target.method === "post") button?.setAttribute("aria-busy", "true");
  });
  const rest = () => each("[aria-busy=true][type=submit]", (button) => button.removeAttribute("aria-busy"));
  document.addEventListener("htmx:finally:request", rest);
  window.addEventListener("pageshow", rest);
  on("click", "[aria-disabled=true]", (button, event) => event.preventDefault());

  // What was changed is no longer called wrong, beside the field and in the list above the form. Nothing is taken out of
  // the page: what is just being clicked would move away.
  on("change", "form .header-row, form .form-field, form fieldset", (part) => {
    each(".form-error", (fault) => fault.classList.add("past"), part);
    each("[aria-invalid]", (field) => field.removeAttribute("aria-invalid"), part);
    const summary = part.closest("form").querySelector(".summary");
    if (!summary) return;
    each("li", (line) => part.contains(document.getElementById(line.querySelector("a").hash.slice(1))) && line.classList.add("past"), summary);
    const left = summary.querySelectorAll("li:not(.past)").length;
    summary.classList.toggle("past", left === 0);
    summary.querySelector("h2").textContent =
      left === 0 ? "All of this was changed: save again" : left === 1 ? "1 thing needs another look" : `${left} things need another look`;
  });

  // Filters that aren't set stay out of the address.
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches(".filter-row, form.find")) return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // Event picker: search, whole groups, all or none. It counts what is chosen.
  const groupState = (group) => {
    const box = group.querySelector("[data-group]");
    const types = [...group.querySelectorAll("[data-type]")];
    const chosen = types.filter((type) => type.checked).length;
    box.indeterminate = !box.checked && chosen > 0;
    types.forEach((type) => (type.disabled = box.checked));
    const count = group.querySelector("[data-count]");
    if (count) count.textContent = box.checked ? `all ${types.length}` : chosen ? `${chosen} of ${types.length}` : `${types.length}`;
  };
  const pickerState = (picker) => {
    each("[data-picker-group]", groupState, picker);
    const types = picker.querySelectorAll("[data-type]");
    let chosen = 0;
    each("[data-picker-group]", (group) => {
      const whole = group.querySelector("[data-group]").checked;
      chosen += group.querySelectorAll(whole ? "[data-type]" : "[data-type]:checked").length;
    }, picker);
    const word = picker.closest("fieldset")?.querySelector("[data-chosen]");
    if (word) word.textContent = `${chosen} of ${types.length} chosen`;
  };
  on("change", "[data-picker] input", (input) => pickerState(input.closest("[data-picker]")));
  on("input", "[data-picker-search]", (input) => {
    const wanted = input.value.trim().toLowerCase();
    each("[data-picker-group]", (group) => {
      let any = false;
      each("li", (row) => {
        row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
        any ||= !row.hidden;
      }, group);
      group.hidden = !any;
      if (wanted && any) group.querySelector("details").open = true;
    }, input.closest("[data-picker]"));
  });
  on("keydown", "[data-picker-search]", (_, event) => event.key === "Enter" && event.preventDefault());
  on("click", "[data-picker-expand]", (button) =>
    each("details", (details) => (details.open = true), button.closest("[data-picker]")));
  on("click", "[data-picker-clear]", (button) => {
    const picker = button.closest("[data-picker]");
    each("[data-type], [data-group]", (box) => (box.checked = false), picker);
    pickerState(picker);
  });

  // Header rows: the next empty row appears when asked for; a removed one is emptied and hidden.
  on("click", "[data-add-row]", (button) => {
    const row = button.closest("fieldset").querySelector(".header-row.spare");
    if (!row) return say("That is all: 10 headers.");
    row.classList.remove("spare");
    row.querySelector("input").focus();
  });
  on("click", "[data-remove-row]", (button) => {
    const row = button.closest(".header-row");
    each("input", (input) => (input.value = ""), row);
    row.classList.add("spare");
  });

  // Live tables: while paused, or while somebody reads further down, new rows are held back and counted. Going on fetches
  // the table anew.
  let heldBack = 0, behind = false;
  const paused = () => root.classList.contains("live-paused");
  const goOn = () => {
    heldBack = 0;
    behind = false;
    each("[data-live-held]", (word) => (word.textContent = ""));
    if (document.querySelector("#deliveries")) htmx.ajax("GET", location.href, { target: "#deliveries", select: "#deliveries", swap: "outerHTML" });
  };
  on("click", "[data-live-pause]", (button) => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    root.classList.toggle("live-paused", now);
    if (!now && behind) goOn();
  });
  document.addEventListener("htmx:sse:before:message", (event) => {
    const message = event.detail.message;
    if (message.event || !event.target.matches("#rows")) return;
    if (!behind && !paused() && scrollY < 320) return;
    event.preventDefault();
    behind = true;
    heldBack += message.data.split('class="fresh"').length - 1;
    each("[data-live-held]", (word) => (word.textContent = heldBack ? `${heldBack} new` : ""));
  });
  document.addEventListener("scroll", () => behind && scrollY < 40 && !paused() && goOn(), { passive: true });
  // Rows that came while one looks stand out for two seconds.
  document.addEventListener("htmx:after:swap", () => {
    const fresh = document.querySelectorAll("tr.fresh");
    if (fresh.length) setTimeout(() => fresh.forEach((row) => row.classList.remove("fresh")), 2000);
  });

  // Times in words grow older while one looks at them. The wording is the server's: see Ago and Until in views.
  const inWords = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    const days = Math.floor(seconds / 86400);
    return days === 1 ? "1 day" : `${days} days`;
  };
  const twoUnits = (seconds) => {
    const [large, name, small, smallName] = seconds < 3600 ? [60, "min", 1, "s"] : [3600, "h", 60, "min"];
    if (seconds < 60 || seconds >= 86400) return inWords(seconds);
    const rest = Math.floor((seconds % large) / small);
    return `${Math.floor(seconds / large)} ${name}` + (rest ? ` ${rest} ${smallName}` : "");
  };
  const countDown = () =>
    each("time[data-rel=countdown]", (time) => {
      const left = Math.floor((Date.parse(time.dateTime) - Date.now()) / 1000);
      time.textContent = left < 1 ? "now" : twoUnits(left);
    });
  setInterval(countDown, 1000);
  const refreshTimes = () =>
    each("time[data-rel]", (time) => {
      const distance = Math.round((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (time.dataset.rel === "ago") time.textContent = distance < 1 ? "now" : `${inWords(distance)} ago`;
      else if (time.dataset.rel === "until") time.textContent = distance >= 0 ? "now" : (time.dataset.before ?? "") + inWords(-distance);
    });
  setInterval(refreshTimes, 5000);

  // Of a picker only the groups with something chosen start open, or else the first.
  const foldPicker = (picker) => {
    const groups = [...picker.querySelectorAll("[data-picker-group]")];
    const open = groups.filter((group) => group.querySelector(":checked"));
    groups.forEach((group, i) => (group.querySelector("details").open = open.length ? open.includes(group) : i === 0));
  };
  const ready = () => {
    openServedDialogs();
    each("[data-picker]", pickerState);
  };
  // The first wrong field gets the focus when a form comes back, not when a check on leaving a field does.
  const focusFault = () => document.querySelector("[aria-invalid=true]")?.focus();
  document.addEventListener("DOMContentLoaded", () => (each("[data-picker]", foldPicker), ready(), focusFault()));
  document.addEventListener("htmx:after:swap", (event) => {
    ready();
    if (event.detail?.ctx?.sourceElement?.matches?.("form[hx-post]")) focusFault();
  });
})();
