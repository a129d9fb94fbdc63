const NAME = 'Idempotency-Key';

/** A UUIDv7 (RFC 9562, section 5.7): the milliseconds since 1970, then random bits. */
export function freshKey() {
  const time = Date.now().toString(16).padStart(12, '0');
  const random = [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = '89ab'[Number.parseInt(random[4], 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(1, 4)}-${variant}${random.slice(5, 8)}-${random.slice(8)}`;
}

/**
 * Options of Swagger UI: each operation that takes an Idempotency-Key gets a fresh one when it is tried out. A repeat keeps
 * it, so that the second Execute shows the replay; after a change of the request the next one is a new intent, with a new
 * key. A key that was typed by hand stays as long as the request does.
 */
export function idempotencyKeys() {
  /** Keys that have been sent. As long as a key is unused, changes of the request don't cost it. */
  const sent = new Set();

  /** The field of each operation, by its path and method, with the key that stands in it. */
  const fields = new Map();

  const renewAfterChange = ({ specActions }, pathMethod) => {
    const field = fields.get(String(pathMethod));
    if (field && sent.has(field.key)) specActions.changeParamByIdentity(pathMethod, field.parameter, freshKey());
  };

  const requestInterceptor = (request) => {
    sent.add(request.headers?.[NAME]);
    return request;
  };

  const afterParameter = (system, pathMethod, parameter, value) => {
    const name = parameter.get('name');
    if (name === NAME) fields.set(String(pathMethod), { parameter, key: value });
    // Tries are compared by path, query, If-Match and body; their other headers may differ.
    else if (parameter.get('in') !== 'header' || name === 'If-Match') renewAfterChange(system, pathMethod);
  };

  const plugin = () => ({ statePlugins: watched(afterParameter, renewAfterChange), wrapComponents: { JsonSchemaForm: withKey } });

  return { plugins: [plugin], requestInterceptor };
}

/** Swagger UI's actions that change a request, and what is called after them. */
const watched = (afterParameter, afterBody) => ({
  spec: {
    wrapActions: {
      changeParamByIdentity:
        (original, system) =>
        (pathMethod, parameter, value, ...more) => {
          const result = original(pathMethod, parameter, value, ...more);
          afterParameter(system, pathMethod, parameter, value);
          return result;
        },
    },
  },
  oas3: {
    wrapActions: {
      setRequestBodyValue: (original, system) => (change) => {
        const result = original(change);
        afterBody(system, change.pathMethod);
        return result;
      },
    },
  },
});

/** A header field that fills itself with a key, where it is the key's, and has a button for another. */
const withKey = (Original, { React }) =>
  function FieldWithKey(props) {
    const { description, disabled, value, onChange, schema } = props;
    const isKey = description === NAME;
    const isExample = !value || schema?.get('examples')?.includes(value);
    React.useEffect(() => {
      if (isKey && !disabled && isExample) onChange(freshKey());
    }, [isKey, disabled, isExample]);
    const field = React.createElement(Original, props);
    if (!isKey || disabled) return field;
    const button = { type: 'button', className: 'btn btn-sm', onClick: () => onChange(freshKey()) };
    return React.createElement(
      'div',
      null,
      field,
      React.createElement('button', button, 'New key'),
      React.createElement('p', null, 'Execute again sends the same key: you get the stored answer. A changed request gets a new key.'),
    );
  };
