import RocketCodecFuzzing
import RocketSystem
import Testing

/// Runs the inputs of the fuzzers through the same checks.
@Suite("Corpus of the fuzzers")
struct FuzzCorpusTests {
    /// In the package's folder, three levels above this file.
    private static let corpus =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Fuzz/Corpus"

    @Test("Each input keeps the contract of its target", arguments: FuzzTarget.allCases)
    func keepsTheContract(target: FuzzTarget) throws {
        let folder = "\(Self.corpus)/\(target.rawValue)"
        let names = try FileSystem.names(in: folder)
        #expect(names.count > 10)
        for name in names {
            let bytes = try FileContents.read("\(folder)/\(name)", limit: 1 << 20)
            #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
        }
    }

    @Test("Each target accepts the inputs of the others", arguments: FuzzTarget.allCases)
    func acceptsOtherInputs(target: FuzzTarget) throws {
        for other in FuzzTarget.allCases where other != target {
            let folder = "\(Self.corpus)/\(other.rawValue)"
            for name in try FileSystem.names(in: folder) {
                let bytes = try FileContents.read("\(folder)/\(name)", limit: 1 << 20)
                #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
            }
        }
    }
}
