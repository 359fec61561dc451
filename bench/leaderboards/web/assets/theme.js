"use strict";
// The theme of the browser, or the one chosen with the button.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const stored = (() => {
    try { return localStorage.getItem("bench-theme"); } catch { return null; }
  })();
  if (stored === "light" || stored === "dark") root.dataset.theme = stored;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const label = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("bench-theme", root.dataset.theme); } catch { /* not stored */ }
    label();
  });
  prefersDark.addEventListener("change", label);
  label();
})();
