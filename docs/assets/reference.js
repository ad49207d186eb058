// A formula or signature that is wider than its column scrolls; then the keyboard must reach it.
const scrolling = ".ref-entry :is(.katex-display, .arithmatex, pre > code)";
const reach = (part) => {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
  else part.removeAttribute("tabindex");
};
const parts = [...document.querySelectorAll(scrolling)];
const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => reach(target)));
for (const part of parts) watch.observe(part);
// A face that has come makes what is in a box wider, and not the box.
document.fonts.addEventListener("loadingdone", () => parts.forEach(reach));
