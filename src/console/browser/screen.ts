/** One of the console's screens. */
export interface Screen {
  /** Its name in the address, behind the `#`. */
  id: string;
  title: string;
  element: HTMLElement;
  /** Called when it comes to the front; `about` is what stands behind its name in the address. */
  show(about: string): void;
}
