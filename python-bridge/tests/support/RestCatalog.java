import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.exceptions.AlreadyExistsException;
import org.apache.iceberg.exceptions.CommitFailedException;
import org.apache.iceberg.exceptions.NoSuchNamespaceException;
import org.apache.iceberg.exceptions.NoSuchTableException;
import org.apache.iceberg.inmemory.InMemoryCatalog;
import org.apache.iceberg.rest.CatalogHandlers;
import org.apache.iceberg.rest.RESTCatalogProperties.SnapshotMode;
import org.apache.iceberg.rest.RESTSerializers;
import org.apache.iceberg.rest.RESTUtil;
import org.apache.iceberg.rest.requests.CreateNamespaceRequest;
import org.apache.iceberg.rest.requests.CreateTableRequest;
import org.apache.iceberg.rest.requests.UpdateTableRequest;
import org.apache.iceberg.rest.responses.ConfigResponse;
import org.apache.iceberg.rest.responses.ErrorResponse;
import org.apache.iceberg.shaded.com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import org.apache.iceberg.shaded.com.fasterxml.jackson.annotation.PropertyAccessor;
import org.apache.iceberg.shaded.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.iceberg.shaded.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.iceberg.shaded.com.fasterxml.jackson.databind.PropertyNamingStrategies;

/**
 * A REST catalog for the tests: Iceberg's own handlers of its protocol, behind the HTTP server of the JDK.
 *
 * <p>Arguments: warehouse directory, bearer token, client id and secret joined by a colon. Prints the port.
 */
public final class RestCatalog {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final InMemoryCatalog catalog;
  private final String token;
  private final String credential;

  private RestCatalog(InMemoryCatalog catalog, String token, String credential) {
    this.catalog = catalog;
    this.token = token;
    this.credential = credential;
  }

  public static void main(String[] arguments) throws IOException {
    JSON.setVisibility(PropertyAccessor.FIELD, Visibility.ANY);
    JSON.configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    JSON.setPropertyNamingStrategy(new PropertyNamingStrategies.KebabCaseStrategy());
    RESTSerializers.registerAll(JSON);
    InMemoryCatalog catalog = new InMemoryCatalog();
    // The catalog knows its tables in memory; their files, metadata among them, are in the warehouse.
    catalog.initialize(
        "tests", Map.of("warehouse", arguments[0], "io-impl", "org.apache.iceberg.hadoop.HadoopFileIO"));
    RestCatalog served = new RestCatalog(catalog, arguments[1], arguments[2]);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", served::handle);
    server.start();
    System.out.println(server.getAddress().getPort());
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      try {
        Object answer = answer(exchange);
        send(exchange, 200, answer);
      } catch (NoSuchTableException | NoSuchNamespaceException error) {
        refuse(exchange, 404, error);
      } catch (AlreadyExistsException | CommitFailedException error) {
        refuse(exchange, 409, error);
      } catch (SecurityException error) {
        refuse(exchange, Integer.parseInt(error.getMessage()), error);
      } catch (RuntimeException error) {
        refuse(exchange, 500, error);
      }
    }
  }

  private Object answer(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getRawPath().split("/");
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    String method = exchange.getRequestMethod();
    if (path[path.length - 1].equals("tokens")) {
      Map<String, String> form = RESTUtil.decodeFormData(body);
      if (!credential.equals(form.get("client_id") + ":" + form.get("client_secret"))) {
        throw new SecurityException("401");
      }
      return Map.of("access_token", token, "token_type", "bearer", "expires_in", 3600);
    }
    if (!("Bearer " + token).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      throw new SecurityException("401");
    }
    if (path[2].equals("config")) {
      return ConfigResponse.builder().build();
    }
    if (path.length == 3) {
      CreateNamespaceRequest request = method.equals("POST") ? JSON.readValue(body, CreateNamespaceRequest.class) : null;
      if (request != null && request.namespace().level(0).startsWith("forbidden")) {
        throw new SecurityException("403");
      }
      return request == null
          ? CatalogHandlers.listNamespaces(catalog, Namespace.empty())
          : CatalogHandlers.createNamespace(catalog, request);
    }
    Namespace namespace = Namespace.of(RESTUtil.decodeString(path[3]));
    if (path.length == 4) {
      if (method.equals("DELETE")) {
        CatalogHandlers.dropNamespace(catalog, namespace);
        return null;
      }
      return CatalogHandlers.loadNamespace(catalog, namespace);
    }
    if (path.length == 5) {
      if (method.equals("GET")) {
        return CatalogHandlers.listTables(catalog, namespace);
      }
      CreateTableRequest request = JSON.readValue(body, CreateTableRequest.class);
      return request.stageCreate()
          ? CatalogHandlers.stageTableCreate(catalog, namespace, request)
          : CatalogHandlers.createTable(catalog, namespace, request);
    }
    TableIdentifier table = TableIdentifier.of(namespace, RESTUtil.decodeString(path[5]));
    if (path.length > 6) {
      return null; // metrics
    }
    return method.equals("POST")
        ? CatalogHandlers.updateTable(catalog, table, JSON.readValue(body, UpdateTableRequest.class))
        : CatalogHandlers.loadTable(catalog, table, SnapshotMode.ALL);
  }

  private static void refuse(HttpExchange exchange, int status, RuntimeException error) throws IOException {
    String type = status == 401 ? "NotAuthorizedException" : error.getClass().getSimpleName();
    send(
        exchange,
        status,
        ErrorResponse.builder()
            .responseCode(status)
            .withType(type)
            .withMessage(String.valueOf(error.getMessage()))
            .withStackTrace(List.of())
            .build());
  }

  private static void send(HttpExchange exchange, int status, Object answer) throws IOException {
    byte[] content = answer == null ? new byte[0] : JSON.writeValueAsBytes(answer);
    boolean isEmpty = content.length == 0 || exchange.getRequestMethod().equals("HEAD");
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(isEmpty && status == 200 ? 204 : status, isEmpty ? -1 : content.length);
    if (!isEmpty) {
      exchange.getResponseBody().write(content);
    }
  }
}
