import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.resources.Resource;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Sends the lines on standard input with OpenTelemetry's exporter, as docs/senders shows it. */
public final class Export {
  public static void main(String[] args) throws Exception {
    OtlpHttpLogRecordExporter exporter = OtlpHttpLogRecordExporter.builder()
        .setEndpoint(args[0] + "/v1/logs")
        .setCompression("gzip")
        .setTimeout(Duration.ofSeconds(60))
        .setRetryPolicy(RetryPolicy.getDefault())
        .build();
    SdkLoggerProvider provider = SdkLoggerProvider.builder()
        .setResource(Resource.create(Attributes.of(
            AttributeKey.stringKey("service.name"), args[1],
            AttributeKey.stringKey("host.name"), "web-1")))
        .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporter)
            .setMaxExportBatchSize(30)
            // A batch goes when it is full, however slow the machine: how many lines it has is known.
            .setScheduleDelay(Duration.ofMinutes(1))
            .setExporterTimeout(Duration.ofSeconds(60))
            .build())
        .build();
    Logger logger = provider.get("shop");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      logger.logRecordBuilder().setSeverity(Severity.INFO).setBody(line).emit();
    }
    provider.shutdown().join(120, TimeUnit.SECONDS);
  }
}
