import RocketCompressionFuzzing
import RocketSystem
import Testing

/// Runs the inputs of the fuzzers through the same checks.
@Suite("Corpus of the fuzzers")
struct FuzzCorpusTests {
    /// In the package's folder, three levels above this file.
    private static let corpus =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Fuzz/Corpus"

    @Test("Each input keeps the rules of both targets", arguments: FuzzTarget.allCases)
    func keepsTheRules(target: FuzzTarget) throws {
        for other in FuzzTarget.allCases {
            let folder = "\(Self.corpus)/\(other.rawValue)"
            let names = try FileSystem.names(in: folder)
            #expect(names.count > 10)
            for name in names {
                let bytes = try FileContents.read("\(folder)/\(name)", limit: 1 << 20)
                #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
            }
        }
    }
}
