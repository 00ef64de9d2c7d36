import Testing

@testable import RocketGeneratorPlugin

@Suite("Access levels")
struct AccessLevelTests {
    @Test("Parses options without regard to case")
    func ignoresCase() {
        #expect(AccessLevel(option: "Public") == .public)
        #expect(AccessLevel(option: "package") == .package)
        #expect(AccessLevel(option: "INTERNAL") == .internal)
        #expect(AccessLevel(option: "private") == nil)
        #expect(AccessLevel(option: "") == nil)
    }

    @Test("Prefixes declarations except for internal")
    func prefixesDeclarations() {
        #expect(AccessLevel.allCases.map(\.modifier) == ["public ", "package ", ""])
    }
}
