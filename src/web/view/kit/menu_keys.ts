/**
 * A menu by keyboard.
 *
 * @module
 */

/** Does what a key in a menu means. @param close Closes it, and goes back to where it was opened. */
export function moveInMenu(event: KeyboardEvent, close: () => void): void {
  const menu = event.currentTarget as HTMLElement;
  const items = [...menu.querySelectorAll<HTMLElement>("button, input")];
  const at = items.indexOf(event.target as HTMLElement);
  const isTyping = event.target instanceof HTMLInputElement;
  switch (event.key) {
    case "Escape":
      close();
      break;
    case "Tab": // a dialog holds the focus; a menu is left
      if (menu.role === "menu") close();
      else go(items.at((at + (event.shiftKey ? -1 : 1)) % items.length));
      break;
    case "ArrowRight":
    case "ArrowDown":
      if (isTyping) return;
      go(items[(at + 1) % items.length]);
      break;
    case "ArrowLeft":
    case "ArrowUp":
      if (isTyping) return;
      go(items.at(at - 1));
      break;
    case "Home":
      if (isTyping) return;
      go(items[0]);
      break;
    case "End":
      if (isTyping) return;
      go(items.at(-1));
      break;
    default:
      return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function go(item: HTMLElement | undefined): void {
  item?.focus({ preventScroll: true });
}
