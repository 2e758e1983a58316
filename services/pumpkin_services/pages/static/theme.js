// Runs before the first paint: the chosen theme, else the system's.
(() => {
  const kept = localStorage.getItem("pumpkin-theme");
  if (kept) document.documentElement.dataset.theme = kept;
})();
