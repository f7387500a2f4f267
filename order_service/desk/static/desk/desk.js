// Plain functions in place of expressions in unfold's pages that a strict Content-Security-Policy forbids: docs/adr/0027.
"use strict";

document.addEventListener("alpine:init", () => {
  for (const name of ["theme", "searchForm"]) {
    Alpine.data(name, window[name]);
  }

  Alpine.data("desk", () => ({
    activeTab: "",
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    // unfold's forms read the page's address from here
    window: { location: { pathname: location.pathname, search: location.search } },
    init() {
      this.activeTab = getCurrentTab() || this.$el.dataset.tab || "";
      this.$watch("sidebarDesktopOpen", (open) => localStorage.setItem("sidebarDesktopOpen", open ? "1" : "0"));
    },
  }));
});

// unfold's links without an address are buttons. This makes the keyboard reach them.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a:not([href])[x-on\\:click]")) {
    link.tabIndex = 0;
    link.setAttribute("role", "button");
    link.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        link.click();
      }
    });
  }
});

// A form that is sent twice would show the result of the second time.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-once]")) {
    if (event.target.dataset.once) {
      event.preventDefault();
    }
    event.target.dataset.once = "sent";
  }
});

// The page between two steps of an action on all matches goes on by itself.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("form[data-continue]")?.requestSubmit();
});
