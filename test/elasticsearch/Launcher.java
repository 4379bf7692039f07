import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node in this process: `java Launcher HOME key=value…`. Stops on SIGTERM, and at
 * the end of its input: that is when the process that started it is gone, however it ended.
 */
public final class Launcher {
  public static void main(String[] args) throws Exception {
    LogConfigurator.configureESLogging();
    var home = Path.of(args[0]);
    var settings = Settings.builder().put("path.home", home.toString());
    for (int i = 1; i < args.length; i++) {
      var at = args[i].indexOf('=');
      settings.put(args[i].substring(0, at), args[i].substring(at + 1));
    }
    var built = settings.build();
    var env = InternalSettingsPreparer.prepareEnvironment(
        built, Map.of(), home.resolve("config"), () -> built.get("node.name"));
    var bundles = PluginsLoader.loadModulesBundles(env.modulesDir(), false);
    var node = new Node(env, PluginsLoader.createPluginsLoader(bundles, Set.of(), Map.of(), false));
    var closed = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (Exception failed) {
        failed.printStackTrace();
      }
      closed.countDown();
    }));
    var watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {}
      } catch (Exception gone) {
        // The same as the end of the input.
      }
      Runtime.getRuntime().halt(0);
    });
    watch.setDaemon(true);
    watch.start();
    node.start();
    closed.await();
  }
}
