import RocketBase
import RocketConfigDocs
import Testing

@Suite struct ConfigDocumentsTests {
    @Test("The reference file loads and contains only defaults")
    func referenceFile() throws {
        let xml = ReferenceXML.text(
            of: ConfigDescription.framework + [ConfigDescription(StoreConfig.self)])
        let config = try load(xml, file: "rocket.xml")
        #expect(config.warnings == [])
        #expect(config.log == LogConfig())
        #expect(config.server == ServerConfig())
        #expect(config[StoreConfig.self].path == StoreConfig().path)
        let unset = config.entries.filter { $0.origin == .default }.map(\.path)
        // The file has it as a comment, as all elements that may be missing.
        #expect(unset.filter { !$0.hasPrefix("server/overload/") } == [])
    }

    @Test("Each field is documented with its default and its allowed values")
    func fieldDocumentation() {
        let text = ConfigMarkdown.text(of: ConfigDescription.framework)
        for field in ConfigDescription.framework.flatMap(\.flattened).flatMap(\.fields) {
            #expect(field.property != "")
            #expect(
                text.contains("| `\(field.name)` | \(field.defaultWithUnit) | \(field.allowed) |"))
        }
    }

    @Test("Doc comments are updated in place")
    func docComments() {
        let source = """
            struct StoreConfig: ConfigSection {
                /// Old.
                public var path = "x"
                public var other = 1
            }
            """
        let expected = """
            struct StoreConfig: ConfigSection {
                /// The database file.
                ///
                /// `order_store/path`: A path, absolute or relative to this file's folder. Default
                /// var/orders.sqlite. Needs a restart.
                public var path = "x"
                public var other = 1
            }
            """
        let section = ConfigDescription(StoreConfig.self)
        #expect(DocComments.updated(source: source, for: section) == expected)
        #expect(DocComments.updated(source: expected, for: section) == expected)
    }
}
