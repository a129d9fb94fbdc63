import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { namesOfStep, type Step } from '../step.js';

/** The steps that this process knows, by every name under which an operation may be stored. */
@Injectable()
export class StepRegistry implements OnModuleInit {
  private readonly steps = new Map<string, Step>();

  constructor(private readonly discovery: DiscoveryService) {}

  /** Finds the providers marked `@RecoverableStep()`. @throws Error when two of them claim the same name or alias */
  onModuleInit(): void {
    for (const { metatype, instance } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function' || !instance) continue;
      const names = namesOfStep(metatype);
      for (const name of names ? [names.name, ...names.aliases] : []) {
        if (this.steps.has(name)) throw new Error(`two steps are named ${name}`);
        this.steps.set(name, instance as Step);
      }
    }
  }

  /** Names and aliases: operations that wait for any other step are for processes that know it. */
  get names(): string[] {
    return [...this.steps.keys()];
  }

  /** The step of that name or alias. */
  find(name: string): Step | undefined {
    return this.steps.get(name);
  }
}
