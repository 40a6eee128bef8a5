// A block that is wider than its page can be scrolled with the keyboard, too.
addEventListener("load", () => {
  const blocks = document.querySelectorAll("pre, .table-wrapper, .cell_output div[style*='overflow']");
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  blocks.forEach((block) => watch.observe(block));
});
