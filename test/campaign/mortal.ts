/**
 * A process that can be killed or stand still at any call: all its ways to the outside pass here.
 * Once dead, nothing that it waits for ever returns, so that none of its code runs on, not even what
 * would tidy up. That is what SIGKILL does.
 */
import type { Ec2 } from "../../src/aws/client";
import type { ControllerRegistry } from "../../src/controller/registry";
import type { Connection } from "../simulation/world";

type Clock = Connection["clock"];

export class Mortal {
  isDead = false;
  private stillUntilAt = 0;

  constructor(private readonly clock: Clock) {}

  die(): void {
    this.isDead = true;
  }

  /** Until then it does nothing, and then goes on as if no time had passed. */
  standStill(milliseconds: number): void {
    this.stillUntilAt = this.clock.now() + milliseconds;
  }

  /** Dies or stands still before the call or before its answer is seen. */
  async live<Result>(act: () => Promise<Result>): Promise<Result> {
    await this.pulse();
    const result = await act();
    await this.pulse();
    return result;
  }

  async *each<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    await this.pulse();
    yield* items;
  }

  private async pulse(): Promise<void> {
    if (this.isDead) await never();
    const stillMs = this.stillUntilAt - this.clock.now();
    if (stillMs > 0) await this.clock.sleep(stillMs);
    if (this.isDead) await never();
  }

  ec2(ec2: Ec2): Ec2 {
    return { call: (action, input) => this.live(() => ec2.call(action, input)) };
  }

  ownClock(): Clock {
    const { clock } = this;
    return {
      now: () => clock.now(),
      sleep: (milliseconds, signal) => this.live(() => clock.sleep(milliseconds, signal)),
    };
  }

  registry(registry: ControllerRegistry): ControllerRegistry {
    return {
      register: (...args) => this.live(() => registry.register(...args)),
      get: (...args) => this.live(() => registry.get(...args)),
      list: (...args) => this.each(registry.list(...args)),
      due: (...args) => this.each(registry.due(...args)),
      deregister: (...args) => this.live(() => registry.deregister(...args)),
      ask: (...args) => this.live(() => registry.ask(...args)),
      wake: (...args) => this.live(() => registry.wake(...args)),
      acquire: (...args) => this.live(() => registry.acquire(...args)),
      renew: (...args) => this.live(() => registry.renew(...args)),
      saveLedger: (...args) => this.live(() => registry.saveLedger(...args)),
      release: (...args) => this.live(() => registry.release(...args)),
      append: (...args) => this.live(() => registry.append(...args)),
      history: (...args) => this.live(() => registry.history(...args)),
      take: (...args) => this.live(() => registry.take(...args)),
    };
  }
}

const never = () => new Promise<never>(() => {});
