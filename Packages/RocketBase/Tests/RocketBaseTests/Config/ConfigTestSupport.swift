import RocketBase

/// An application's section, as the order server has one.
struct StoreConfig: ConfigSection {
    var path = "var/orders.sqlite"
    var batch = 64

    static let schema = ConfigSchema<Self>(
        "order_store", "Where orders are kept.",
        [
            .init("path", \.path, .path, .restart, "The database file."),
            .init("batch", \.batch, .integer(1...1000), .live, "Orders in one commit."),
        ])
}

/// A configuration from text, with that section.
func load(
    _ xml: String, file: String = "conf/rocket.xml", environment: [String: String] = [:]
) throws(ConfigError) -> RocketConfig {
    try RocketConfig(
        xml: Array(xml.utf8), file: file, sections: [StoreConfig.self], environment: environment)
}

/// The lines that loading complains with; empty when it does not.
func complaints(
    _ xml: String, environment: [String: String] = [:]
) -> [String] {
    do {
        return try load(xml, file: "r.xml", environment: environment).warnings.map(\.description)
    } catch {
        return error.issues.map(\.description)
    }
}
