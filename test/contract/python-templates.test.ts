import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { pythonTemplates } from '../support/templates.js';

const { templates } = await pythonTemplates();

describe('the templates that Python offers', () => {
  it('are a Postgres source and two sinks', () => {
    const summary = templates.map(({ id, role, vendor }) => ({ id, role, vendor }));
    expect(summary).toEqual(
      expect.arrayContaining([
        { id: 'jdbc_postgres', role: 'source', vendor: 'postgres' },
        { id: 'iceberg', role: 'sink', vendor: 'iceberg' },
        { id: 'parquet_files', role: 'sink', vendor: 'parquet' },
      ]),
    );
  });

  it.each(templates)('$id says what a unit may do with it', (template) => {
    expect(template.writeModes.length > 0).toBe(template.role === 'sink');
    expect(template.objectSchema !== null).toBe(template.role === 'source');
    expect(template.deliveryGuarantee !== null).toBe(template.role === 'sink');
  });

  it.each(templates)('$id brings schemas that can be compiled', (template) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    expect(() => ajv.compile(template.configSchema)).not.toThrow();
    expect(() => ajv.compile(template.objectSchema ?? {})).not.toThrow();
  });

  it('mark the password of a database as a secret', () => {
    const schema = templates.find(({ id }) => id === 'jdbc_postgres')?.configSchema;
    expect(schema).toMatchObject({ properties: { password: { writeOnly: true } } });
  });
});
