import type { Committed } from "./log.ts";
import type { SubscriptionReader } from "./subscription-reader.ts";

/**
 * What was committed that may make a subscription due for a wake, until somebody looks. Taking a note reads nothing:
 * publishers wait for it.
 */
export class SubscriptionNotes {
  /** Subscriptions that something has happened to, by their incarnation. */
  readonly #changed = new Set<number>();
  readonly #appended = new Set<string>();
  /** Streams that are new: wakes may have waited for one. */
  readonly #created = new Set<string>();
  #isOfAll = true;
  /** Whether there has been any subscription: without one an append costs nothing. */
  #isNeeded = false;

  get isEmpty(): boolean {
    return !this.#isOfAll && this.#changed.size + this.#appended.size + this.#created.size === 0;
  }

  /** Nobody knows what has happened, so anything may be due. */
  addAll(): void {
    this.#isOfAll = true;
  }

  add({ operation, result }: Committed): void {
    if (result.kind === "subscribed") this.#isNeeded = true;
    if (!this.#isNeeded) return;
    if (operation.kind === "write" && result.kind === "written") this.#appended.add(operation.path);
    else if (operation.kind === "create" && result.kind === "created") {
      this.#created.add(operation.path);
      this.#appended.add(operation.path);
    } else if (result.kind === "woken") {
      if (result.event !== undefined) this.#appended.add(result.event.path);
    } else if (result.kind === "claimed" || result.kind === "subscription-changed")
      this.#changed.add(result.subscription);
  }

  /** Who may be due, by their incarnation. What is noted from now on is for the next time. */
  take(reader: SubscriptionReader): Set<number> {
    const found = new Set(this.#changed);
    const addEach = (incarnations: readonly number[]): void => {
      for (const each of incarnations) found.add(each);
    };
    if (this.#isOfAll) {
      this.#isNeeded ||= reader.hasAny();
      addEach(reader.idleWithPending());
    }
    for (const path of this.#appended) addEach(reader.idleLinkedTo(path));
    for (const path of this.#created) addEach(reader.idleWakingBy(path));
    this.#isOfAll = false;
    this.#changed.clear();
    this.#appended.clear();
    this.#created.clear();
    return found;
  }
}
