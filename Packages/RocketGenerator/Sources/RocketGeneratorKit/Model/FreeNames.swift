import RocketGeneratorPlugin

/// Gives each method's types and programs names that nothing else has. A method keeps those that it
/// had: its files are named after them, and hold somebody's logic.
struct FreeNames {
    private var taken: Set<String>
    private var programs: Set<String>
    /// What methods had before, by full name, as far as it is still free.
    private let kept: [String: MethodRecord.Entry]

    /// - Parameter old: the methods that had names before and still exist.
    init(scope: ModuleScope, reserved: Set<String>, old: [MethodRecord.Entry] = []) {
        let others = reserved.union(scope.owners.keys)
        let free = old.filter { !others.contains($0.interface) }
        taken = others.union(free.map(\.interface))
        programs = Set(free.map(\.testClient))
        kept = Dictionary(free.map { ($0.fullName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// `OrderServiceImpl` for the protocol `OrderService`.
    mutating func implementation(of service: ServiceModel) -> String {
        take(["\(service.protocolName)Impl"], from: &taken)
    }

    /// `MakeOrder`; with the service's name where that is taken.
    mutating func interface(of method: MethodModel, in service: ServiceModel) -> String {
        if let old = kept["\(service.fullName).\(method.name)"] { return old.interface }
        let plain = SwiftName.upperCamel(method.name)
        let stem = service.clientName.dropLast("Client".count)
        let isName = plain.first?.isLetter == true
        return take(
            (isName ? [plain, "\(plain)Interface"] : []) + ["\(stem)\(plain)"], from: &taken)
    }

    /// `test_make_order_client`; with the service's name where that is taken.
    mutating func testClient(of method: MethodModel, in service: ServiceModel) -> String {
        if let old = kept["\(service.fullName).\(method.name)"] { return old.testClient }
        let plain = SnakeCase.of(method.name)
        let long = SnakeCase.of("\(service.fullName.replacing(".", with: "_"))_\(plain)")
        return take(["test_\(plain)_client", "test_\(long)_client"], from: &programs)
    }

    private func take(_ wishes: [String], from names: inout Set<String>) -> String {
        var name = wishes.first { !names.contains($0) }
        var number = 2
        while name == nil {
            let numbered = "\(wishes[wishes.count - 1])\(number)"
            if !names.contains(numbered) { name = numbered }
            number += 1
        }
        let found = name ?? ""
        names.insert(found)
        return found
    }
}
