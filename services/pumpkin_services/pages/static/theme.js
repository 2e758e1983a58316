// Runs before the first paint: the dark theme lies over the light one where it was chosen, or else where the system asks.
(() => {
  const root = document.documentElement;
  const apply = () => {
    const chosen = localStorage.getItem("pumpkin-theme");
    const media = { dark: "all", light: "not all" }[chosen] || "(prefers-color-scheme: dark)";
    document.getElementById("dark").media = media;
    root.style.colorScheme = chosen || "light dark";
  };
  root.addEventListener("pumpkin-theme", apply);
  apply();
})();
