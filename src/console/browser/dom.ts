/** What may stand in an element: text stays text, whatever it looks like; what is missing is left out. */
export type Child = Node | string | number | null | undefined | false | Child[];

type Attribute = string | number | boolean | undefined;

/**
 * Makes an element. `true` sets an attribute without a value, `false` and undefined leave it out. This is the only way in which the
 * console makes markup: there is none that reads HTML.
 */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) element.setAttribute(attribute, value === true ? '' : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Puts the children in the place of what an element has. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...flat(children));
}

function flat(children: Child[]): (Node | string)[] {
  return children.flatMap((child): (Node | string)[] => {
    if (Array.isArray(child)) return flat(child);
    if (child === null || child === undefined || child === false) return [];
    return [child instanceof Node ? child : String(child)];
  });
}

let made = 0;

/** An id that no other element has, to tie labels and descriptions to what they are about. */
export function freshId(): string {
  made += 1;
  return `e${made}`;
}

/** A field with its label above it. */
export function labelled(label: string, field: HTMLElement, hint?: string): HTMLElement {
  field.id = freshId();
  const hintId = hint && freshId();
  if (hintId) field.setAttribute('aria-describedby', hintId);
  return el(
    'div',
    { class: 'field' },
    el('label', { for: field.id }, label),
    field,
    hintId && el('p', { id: hintId, class: 'hint' }, hint),
  );
}

/**
 * A button that does one thing at a time: while that lasts it says so and takes no further click. It stays in the order of the
 * keyboard all the while, which a disabled one would not.
 */
export function button(label: string, act: () => unknown, attributes: Record<string, Attribute> = {}): HTMLButtonElement {
  const element = el('button', { type: 'button', ...attributes }, label);
  element.addEventListener('click', (event) => {
    event.preventDefault();
    if (element.getAttribute('aria-disabled') !== 'true') void busyWhile(element, act);
  });
  return element;
}

async function busyWhile(element: HTMLElement, act: () => unknown): Promise<void> {
  enable(element, false);
  element.setAttribute('aria-busy', 'true');
  try {
    await act();
  } finally {
    element.removeAttribute('aria-busy');
    enable(element, true);
  }
}

/** Whether a button may be pressed. */
export function enable(element: HTMLElement, enabled: boolean): void {
  element.setAttribute('aria-disabled', String(!enabled));
}
