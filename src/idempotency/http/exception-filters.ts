import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ContextIdFactory, HttpAdapterHost, ModuleRef, ModulesContainer, type ApplicationConfig, type NestContainer } from '@nestjs/core';
import { RouterExceptionFilters } from '@nestjs/core/router/router-exception-filters.js';
import type { StoredResponse } from '../reply.js';
import type { HttpResponse } from './platform.js';
import { captured } from './sending.js';

type Container = NestContainer & { applicationConfig: ApplicationConfig };

/** The application's exception filters, asked for the answer to an error before it is an answer. */
@Injectable()
export class ExceptionFilters {
  private readonly container: Container;

  /** @throws Error where this version of Nest keeps its filters elsewhere: a refusal could not be stored as it was sent */
  constructor(
    moduleRef: ModuleRef,
    private readonly modules: ModulesContainer,
    private readonly adapter: HttpAdapterHost,
  ) {
    // Not promised by Nest, which makes the same of it for each route.
    const { container } = moduleRef as unknown as { container?: Container };
    if (!container?.applicationConfig)
      throw new Error(
        'This version of @nestjs/core does not show its exception filters, which idempotent handlers ask; see the versions that are tested',
      );
    this.container = container;
  }

  /**
   * What Nest would send if the handler had thrown the error without the core: by the filters of the method, the controller and the
   * application, or by its own. Nothing leaves.
   * @param declared names of headers that the route declares
   * @throws Error for an answer that can't be stored, and what a filter throws
   */
  answerTo(error: unknown, context: ExecutionContext, declared: readonly string[]): Promise<StoredResponse> {
    const handler = this.handlerFor(context);
    return captured(context.switchToHttp().getResponse<HttpResponse>(), declared, () => handler.next(error as Error, context));
  }

  private handlerFor(context: ExecutionContext): ReturnType<RouterExceptionFilters['create']> {
    const { container } = this;
    const filters = new RouterExceptionFilters(container, container.applicationConfig, this.adapter.httpAdapter);
    const type = context.getClass();
    for (const [key, { controllers }] of this.modules) {
      const wrapper = controllers.get(type);
      if (!wrapper) continue;
      const { instance } = wrapper;
      if (wrapper.isDependencyTreeStatic()) return filters.create(instance, context.getHandler() as never, key);
      const contextId = ContextIdFactory.getByRequest(context.switchToHttp().getRequest<Record<string, unknown>>());
      return filters.create(instance, context.getHandler() as never, key, contextId, wrapper.id);
    }
    throw new Error(`${type.name} is no controller`);
  }
}
