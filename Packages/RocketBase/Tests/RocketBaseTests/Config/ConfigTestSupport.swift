import RocketBase

/// A section of an application, like that of the order server.
struct StoreConfig: ConfigSection {
    var path = "var/orders.sqlite"
    var batch = 64

    static let schema = ConfigSchema<Self>(
        "order_store", "Storage of orders.",
        [
            .init("path", \.path, .path, .restart, "The database file."),
            .init("batch", \.batch, .integer(1...1000), .live, "The number of orders per commit."),
        ])
}

/// Loads a configuration with that section from text.
func load(
    _ xml: String, file: String = "conf/rocket.xml", environment: [String: String] = [:]
) throws(ConfigError) -> RocketConfig {
    try RocketConfig(
        xml: Array(xml.utf8), file: file, sections: [StoreConfig.self], environment: environment)
}

/// Returns the warnings and errors of loading a configuration.
func issues(
    _ xml: String, environment: [String: String] = [:]
) -> [String] {
    do {
        return try load(xml, file: "r.xml", environment: environment).warnings.map(\.description)
    } catch {
        return error.issues.map(\.description)
    }
}
