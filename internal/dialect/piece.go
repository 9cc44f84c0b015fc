package dialect

// Piece is a token of a text with what it is, as a shell colours it. What is neither of the classes has none.
type Piece struct {
	Span
	Class Class
}

// Class is what a piece of a text is.
type Class int

// The classes of pieces.
const (
	Word    Class = iota // a keyword or a name
	Literal              // a text or bytes in quotes
	Name                 // in quotes
	Number
	Comment
	Punctuation // one character
	Parameter
)

// Pieces cuts a text, complete or not, into its tokens but for spaces. Of a text whose dialect is Auto DuckDB's are taken, unless a marker
// says otherwise.
func Pieces(src string, lang Lang) []Piece {
	if lang = marked(src, lang); lang != GoogleSQL {
		lang = DuckDB
	}
	classes := map[kind]Class{
		kindComment: Comment, kindWord: Word, kindQuoted: Name, kindString: Literal, kindBytes: Literal, kindNumber: Number,
		kindParam: Parameter, kindPunct: Punctuation,
	}
	var list []Piece
	for _, t := range lex(src, 0, len(src), lang) {
		if t.kind != kindSpace {
			list = append(list, Piece{t.Span, classes[t.kind]})
		}
	}
	return list
}
