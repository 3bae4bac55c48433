"""Scripts that look at an open page for what is wrong with it; they find nothing where all is."""

from __future__ import annotations

LOW_CONTRAST = """
() => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) =>
    0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const back = channels(getComputedStyle(each).backgroundColor);
      if (back.length < 4 || back[3] > 0) return back;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const nodes = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
    const text = nodes.map(node => node.data).join("").trim();
    if (!text || element.tagName === "title" || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const color = luminance(channels(element.ownerSVGElement ? style.fill : style.color));
    const back = luminance(channels(`${behind(element)}`));
    const contrast = (Math.max(color, back) + 0.05) / (Math.min(color, back) + 0.05);
    if (contrast < 4.5) found.push([text.slice(0, 30), contrast]);
  }
  return found;
}
"""
"""Texts that stand out from what is behind them less than WCAG 2 wants (AA)."""

CUT_OFF = """
() => [...document.querySelectorAll(
  "h1, h2, h3, p, li, dd, dt, caption, figcaption, .bars th, .calendar td"
)]
  .filter(each => getComputedStyle(each).display !== "inline")
  .filter(each => getComputedStyle(each).overflowX !== "auto")
  .filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => each.textContent.trim().slice(0, 40))
"""

SMALL_IN_PICTURES = """
() => [...document.querySelectorAll("figure text")]
  .filter(text => text.checkVisibility())
  .map(text => text.getBoundingClientRect().height)
  .filter(height => height < 11)
"""

OUTSIDE_OF_PICTURES = """
() => [...document.querySelectorAll("figure text")]
  .filter(text => text.checkVisibility())
  .filter(text => {
    const inner = text.getBoundingClientRect();
    const outer = text.ownerSVGElement.getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > Math.min(outer.right + 6, innerWidth)
      || inner.top < outer.top - 6 || inner.bottom > outer.bottom + 1;
  })
  .map(text => text.textContent)
"""

OVERLAPPING_IN_PICTURES = """
() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("text")]
    .filter(text => text.checkVisibility() && text.getAttribute("opacity") !== "0")
    .map(text => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], number) => boxes.slice(number + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right)
    .filter(([, b]) => a.top < b.bottom - 3 && b.top < a.bottom - 3)
    .map(([other]) => [one, other]));
})
"""

WITHOUT_KEYBOARD = """
() => [...document.querySelectorAll("a, summary, .scroll, pre")]
  .filter(each => each.checkVisibility() && each.tabIndex < 0)
  .map(each => each.outerHTML.slice(0, 60))
"""
