/// Names in lower case with underscores, for programs and files.
enum SnakeCase {
    /// `makeOrder` and `make_order` become `make_order`, `HTTPGet` becomes `http_get`.
    static func of(_ name: String) -> String {
        var words: [String] = []
        let characters = Array(name)
        var word = ""
        for (index, character) in characters.enumerated() {
            let isBreak = !character.isLetter && !character.isNumber
            let next = index + 1 < characters.count ? characters[index + 1] : nil
            let before = index > 0 ? characters[index - 1] : nil
            let begins =
                character.isUppercase
                && (before?.isUppercase != true || next?.isLowercase == true)
            if isBreak || begins {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if !isBreak { word += character.lowercased() }
        }
        if !word.isEmpty { words.append(word) }
        return words.joined(separator: "_")
    }
}
