import { parser } from '@prometheus-io/lezer-promql';

/** One selector of an expression: a metric, and what is asked of its labels. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
}

/** What an expression of PromQL reads, by Prometheus' own grammar. @throws Error where it is none */
export function selectorsOf(expression: string): Selector[] {
  const selectors: Selector[] = [];
  const textOf = ({ from, to }: { from: number; to: number }): string => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (node.name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
      const selector = selectors.at(-1);
      if (!selector) return;
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') selector.metric = textOf(node);
      if (node.name === 'UnquotedLabelMatcher') {
        const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) => node.node.getChild(name));
        if (label && operator && value) {
          selector.matchers.push({ label: textOf(label), operator: textOf(operator), value: textOf(value).slice(1, -1) });
        }
      }
    },
  });
  return selectors;
}
