import type { LabelsOf, Metrics } from '../../observability/metrics.registry.js';
import type { ChargeRequest, FoundReading, NewCharge, Provider, Reading, RefundRequest, StandingReading } from './provider.js';

type Labels = LabelsOf<'payments_provider_calls_total'>;

/** A provider whose calls are counted and timed, each as it answered before anybody judged that. */
export class MeasuredProvider implements Provider {
  constructor(
    private readonly provider: Provider,
    private readonly metrics: Metrics,
  ) {}

  get keyWindowMs(): number {
    return this.provider.keyWindowMs;
  }

  charge(request: NewCharge, key: string, timeoutMs: number): Promise<Reading> {
    return this.measured('charge', this.provider.charge(request, key, timeoutMs), ({ kind }) => kind);
  }

  refund(request: RefundRequest, key: string, timeoutMs: number): Promise<Reading> {
    return this.measured('refund', this.provider.refund(request, key, timeoutMs), ({ kind }) => kind);
  }

  findCharge(request: ChargeRequest, known: string | null, timeoutMs: number): Promise<FoundReading> {
    return this.measured('find-charge', this.provider.findCharge(request, known, timeoutMs), kindOf);
  }

  findRefund(request: RefundRequest, known: string | null, timeoutMs: number): Promise<FoundReading> {
    return this.measured('find-refund', this.provider.findRefund(request, known, timeoutMs), kindOf);
  }

  standing(request: ChargeRequest, id: string, timeoutMs: number): Promise<StandingReading> {
    return this.measured('standing', this.provider.standing(request, id, timeoutMs), () => 'succeeded');
  }

  private async measured<Result>(
    call: Labels['call'],
    answer: Promise<Result>,
    outcomeOf: (result: Result) => Labels['outcome'],
  ): Promise<Result> {
    const began = performance.now();
    let outcome: Labels['outcome'] = 'failed';
    try {
      const result = await answer;
      outcome = outcomeOf(result);
      return result;
    } finally {
      this.metrics.count('payments_provider_calls_total', { call, outcome });
      this.metrics.observe('payments_provider_call_duration_seconds', { call }, (performance.now() - began) / 1000);
    }
  }
}

function kindOf(found: FoundReading): Labels['outcome'] {
  return found?.kind ?? 'nothing';
}
