/** Something that was opened and must be closed. */
interface Resource {
  close(): void | Promise<void>;
}

/** What has been opened so far, to be closed newest first, whatever fails on the way. */
export class Opened {
  readonly #resources: Resource[] = [];
  #closing: Promise<void> | undefined;

  add<T extends Resource>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** @throws The first error, after everything was tried. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    for (const resource of this.#resources.toReversed()) {
      try {
        await resource.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
