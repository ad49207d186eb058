// A formula or signature that is wider than its column scrolls; then the keyboard must reach it.
const scrolling = ".ref-entry :is(.katex-display, .arithmatex, pre > code)";
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const part of document.querySelectorAll(scrolling)) watch.observe(part);
