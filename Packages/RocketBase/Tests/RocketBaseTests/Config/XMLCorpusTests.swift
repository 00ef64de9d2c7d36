import RocketBase
import RocketSystem
import Testing

/// The fuzzer's corpus, run as a test: every input comes to a configuration or a clear error.
@Suite struct XMLCorpusTests {
    private static let folder = packageFolder + "/Fuzz/Corpus/xml"

    /// The package's folder: four levels above this file's.
    private static var packageFolder: String {
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" }
    }

    @Test func `every input of the fuzzing corpus is answered`() throws {
        let names = try FileSystem.names(in: Self.folder)
        #expect(names.count > 10)
        for name in names {
            let bytes = try FileContents.read("\(Self.folder)/\(name)", limit: 2 << 20)
            do {
                let config = try RocketConfig(xml: bytes, file: name)
                #expect(config.diff(from: config).isEmpty, "\(name)")
            } catch {
                #expect(error.description.hasPrefix(name), "\(name)")
            }
        }
    }

    @Test func `every beginning of a file is answered`() throws {
        let bytes = try FileContents.read(Self.folder + "/generated_by_original.xml", limit: 9999)
        for count in 0..<bytes.count - 1 {
            #expect(throws: ConfigError.self) {
                try RocketConfig(xml: Array(bytes[..<count]), file: "cut.xml")
            }
        }
    }
}
