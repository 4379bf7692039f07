import { SeverityNumber } from '@opentelemetry/api';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import type { Program } from './program.ts';

/** One batch after another: a batch waits for the answer to the one before. */
function exporter(name: string, title: string, Exporter: typeof ProtobufExporter): Program {
  return {
    name,
    title,
    taskOf: (day) => `service/${name}/${day}`,
    async send({ url, lines }) {
      const provider = new LoggerProvider({
        resource: resourceFromAttributes({ 'service.name': name, 'host.name': 'web-1' }),
        processors: [
          new BatchLogRecordProcessor({
            exporter: new Exporter({
              url: `${url}/v1/logs`,
              timeoutMillis: 60_000,
              concurrencyLimit: 1,
            }),
            maxExportBatchSize: 30,
            scheduledDelayMillis: 50,
            exportTimeoutMillis: 60_000,
          }),
        ],
      });
      const logger = provider.getLogger('shop');
      for (const body of lines) logger.emit({ body, severityNumber: SeverityNumber.INFO });
      await provider.shutdown();
    },
  };
}

export const OPENTELEMETRY_JS: readonly Program[] = [
  exporter('otlp-json', '@opentelemetry/exporter-logs-otlp-http', JsonExporter),
  exporter('otlp-proto', '@opentelemetry/exporter-logs-otlp-proto', ProtobufExporter),
];
