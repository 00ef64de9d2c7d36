import RocketBase
import RocketSystem
import Testing

/// Runs the corpus of the fuzzer as a test.
@Suite struct XMLCorpusTests {
    private static let folder = packageFolder + "/Fuzz/Corpus/xml"

    /// The folder of the package, four levels above this file.
    private static var packageFolder: String {
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" }
    }

    @Test("Each input of the fuzzing corpus is read or rejected with an error")
    func fuzzingCorpus() throws {
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

    @Test("Each proper prefix of a file is rejected with an error")
    func filePrefixes() throws {
        let bytes = try FileContents.read(Self.folder + "/generated_by_original.xml", limit: 9999)
        for count in 0..<bytes.count - 1 {
            #expect(throws: ConfigError.self) {
                try RocketConfig(xml: Array(bytes[..<count]), file: "cut.xml")
            }
        }
    }
}
