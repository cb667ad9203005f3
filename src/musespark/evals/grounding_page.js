// What a page shows in words, and where: run within the page, after its last change. Boxes are in CSS pixels.
() => {
  const CONTROLS = 'a, button, label, summary, [role=button], [role=tab], .alink, [onclick], input[type=button], input[type=submit]';
  const box = (rects) => [
    Math.min(...rects.map((r) => r.left)), Math.min(...rects.map((r) => r.top)),
    Math.max(...rects.map((r) => r.right)), Math.max(...rects.map((r) => r.bottom)),
  ];
  const flat = (text) => text.replace(/\s+/g, ' ').trim();

  // Whether the pixels of a rectangle are this element's: within the window, and covered by nothing else. Corners may be round.
  const shows = (element, rect, corners = true) => {
    if (rect.width < 2 || rect.height < 4) return false;
    if (rect.left < 0 || rect.top < 0 || rect.right > innerWidth || rect.bottom > innerHeight) return false;
    const style = getComputedStyle(element);
    if (style.visibility !== 'visible' || parseFloat(style.fontSize) < 5) return false;
    for (let up = element; up; up = up.parentElement) if (parseFloat(getComputedStyle(up).opacity) < 0.5) return false;
    const inset = 1.5, xs = [rect.left + inset, (rect.left + rect.right) / 2, rect.right - inset];
    const ys = [rect.top + inset, (rect.top + rect.bottom) / 2, rect.bottom - inset];
    return xs.every((x, column) => ys.every((y, row) => {
      if (!corners && column !== 1 && row !== 1) return true;
      const hit = document.elementFromPoint(x, y);
      return hit && (hit === element || element.contains(hit) || (hit.contains(element) && hit.matches('a, button, label, svg')));
    }));
  };

  const cased = (text, element) => {
    const how = getComputedStyle(element).textTransform;
    if (how === 'uppercase') return text.toUpperCase();
    if (how === 'lowercase') return text.toLowerCase();
    return how === 'capitalize' ? text.replace(/(^|\s)\S/g, (c) => c.toUpperCase()) : text;
  };

  const block = (element) => {
    while (element.parentElement && ['inline', 'contents'].includes(getComputedStyle(element).display)) element = element.parentElement;
    return element;
  };

  // Every visible word with its place.
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!element || element.matches('script, style, noscript, option, textarea, title')) continue;
    let joined = false; // no space between this word and the one before it
    for (const found of node.data.matchAll(/\S+/g)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const rects = [...range.getClientRects()].filter((r) => r.width > 0 && r.height > 0);
      const last = words[words.length - 1];
      joined = found.index === 0 && last && last.block === block(element) && !/\s$/.test(last.node.data)
        && Math.abs(range.getBoundingClientRect().left - last.rect.right) < 1;
      words.push({
        text: cased(found[0], element), node, element, block: block(element), joined,
        rect: range.getBoundingClientRect(), whole: rects.length === 1 && shows(element, rects[0]),
      });
    }
  }

  const said = (part) => flat(part.map((word, index) => (index && !word.joined ? ' ' : '') + word.text).join(''));
  const control = (word) => word.element.closest(CONTROLS);
  const kind = (element) => {
    if (!element) return 'text';
    if (element.matches('label')) return 'label';
    return element.matches('button, [role=button], input') ? 'button' : 'link';
  };

  // Words of one block that stand beside each other are a line.
  const lines = [];
  for (const word of words) {
    const line = lines[lines.length - 1], last = line && line[line.length - 1];
    const beside = last && last.block === word.block
      && Math.min(last.rect.bottom, word.rect.bottom) - Math.max(last.rect.top, word.rect.top) > 0.5 * word.rect.height
      && word.rect.left - last.rect.right < word.rect.height && word.rect.left >= last.rect.left;
    if (beside) line.push(word);
    else lines.push([word]);
  }

  const items = [];
  const item = (part, element, inline) => {
    const ink = box(part.map((word) => word.rect));
    const pressed = element && kind(element) === 'button' && shows(element, element.getBoundingClientRect(), false);
    items.push({ text: said(part), kind: kind(element), box: pressed ? box([element.getBoundingClientRect()]) : ink, ink, inline });
  };
  for (const line of lines) {
    const pressed = control(line[0]);
    const same = line.every((word) => control(word) === pressed);
    if (line.every((word) => word.whole)) item(line, same ? pressed : null, false);
    if (same) continue;
    for (const element of new Set(line.map(control).filter(Boolean))) {
      const part = line.filter((word) => control(word) === element);
      const all = words.filter((word) => control(word) === element).length === part.length;
      if (all && part.every((word) => word.whole)) item(part, element, true);
    }
  }

  // What is written in controls that have no text of their own.
  const canvas = document.createElement('canvas').getContext('2d');
  for (const input of document.querySelectorAll('input, select, textarea')) {
    const rect = input.getBoundingClientRect(), style = getComputedStyle(input);
    if (['checkbox', 'radio', 'password', 'hidden', 'range', 'color', 'file'].includes(input.type) || !shows(input, rect, false)) continue;
    const text = flat(input.matches('select') ? (input.selectedOptions[0] || { text: '' }).text : input.value || input.placeholder || '');
    canvas.font = style.font;
    if (!text || canvas.measureText(text).width > rect.width - 4 || /\n/.test(input.value || '')) continue;
    if (input.matches('select') && (input.multiple || input.size > 1)) continue;
    const pressed = ['button', 'submit', 'reset'].includes(input.type);
    items.push({ text: cased(text, input), kind: pressed ? 'button' : 'input', box: box([rect]), ink: null, inline: false });
  }
  const near = ({ rect }) => rect.right > 0 && rect.bottom > 0 && rect.left < innerWidth && rect.top < innerHeight;
  return { items, lines: lines.filter((line) => line.some(near)).map(said) };
}
