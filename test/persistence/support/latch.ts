/** Lets concurrent work meet at an agreed point, so that an interleaving is made rather than hoped for. */
export class Latch {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}
