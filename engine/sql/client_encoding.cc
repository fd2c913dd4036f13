// The encodings of PostgreSQL 15 by their names.
#include "engine/sql/client_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr std::string_view kUtf8 = "UTF8";
constexpr std::string_view kSqlAscii = "SQL_ASCII";
constexpr size_t kMaxEncodingNameBytes = 63;  // a longer name is the name of nothing

struct EncodingName {
  std::string_view name;  // letters and digits, in lower case
  std::string_view encoding;
};

// PostgreSQL's pg_encname_tbl.
constexpr EncodingName kEncodingNames[] = {
    {"abc", "WIN1258"},
    {"alt", "WIN866"},
    {"big5", "BIG5"},
    {"euccn", "EUC_CN"},
    {"eucjis2004", "EUC_JIS_2004"},
    {"eucjp", "EUC_JP"},
    {"euckr", "EUC_KR"},
    {"euctw", "EUC_TW"},
    {"gb18030", "GB18030"},
    {"gbk", "GBK"},
    {"iso88591", "LATIN1"},
    {"iso885910", "LATIN6"},
    {"iso885913", "LATIN7"},
    {"iso885914", "LATIN8"},
    {"iso885915", "LATIN9"},
    {"iso885916", "LATIN10"},
    {"iso88592", "LATIN2"},
    {"iso88593", "LATIN3"},
    {"iso88594", "LATIN4"},
    {"iso88595", "ISO_8859_5"},
    {"iso88596", "ISO_8859_6"},
    {"iso88597", "ISO_8859_7"},
    {"iso88598", "ISO_8859_8"},
    {"iso88599", "LATIN5"},
    {"johab", "JOHAB"},
    {"koi8", "KOI8R"},
    {"koi8r", "KOI8R"},
    {"koi8u", "KOI8U"},
    {"latin1", "LATIN1"},
    {"latin10", "LATIN10"},
    {"latin2", "LATIN2"},
    {"latin3", "LATIN3"},
    {"latin4", "LATIN4"},
    {"latin5", "LATIN5"},
    {"latin6", "LATIN6"},
    {"latin7", "LATIN7"},
    {"latin8", "LATIN8"},
    {"latin9", "LATIN9"},
    {"mskanji", "SJIS"},
    {"muleinternal", "MULE_INTERNAL"},
    {"shiftjis", "SJIS"},
    {"shiftjis2004", "SHIFT_JIS_2004"},
    {"sjis", "SJIS"},
    {"sqlascii", kSqlAscii},
    {"tcvn", "WIN1258"},
    {"tcvn5712", "WIN1258"},
    {"uhc", "UHC"},
    {"unicode", kUtf8},
    {"utf8", kUtf8},
    {"vscii", "WIN1258"},
    {"win", "WIN1251"},
    {"win1250", "WIN1250"},
    {"win1251", "WIN1251"},
    {"win1252", "WIN1252"},
    {"win1253", "WIN1253"},
    {"win1254", "WIN1254"},
    {"win1255", "WIN1255"},
    {"win1256", "WIN1256"},
    {"win1257", "WIN1257"},
    {"win1258", "WIN1258"},
    {"win866", "WIN866"},
    {"win874", "WIN874"},
    {"win932", "SJIS"},
    {"win936", "GBK"},
    {"win949", "UHC"},
    {"win950", "BIG5"},
    {"windows1250", "WIN1250"},
    {"windows1251", "WIN1251"},
    {"windows1252", "WIN1252"},
    {"windows1253", "WIN1253"},
    {"windows1254", "WIN1254"},
    {"windows1255", "WIN1255"},
    {"windows1256", "WIN1256"},
    {"windows1257", "WIN1257"},
    {"windows1258", "WIN1258"},
    {"windows866", "WIN866"},
    {"windows874", "WIN874"},
    {"windows932", "SJIS"},
    {"windows936", "GBK"},
    {"windows949", "UHC"},
    {"windows950", "BIG5"},
};

std::string LettersAndDigits(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (IsAsciiLetter(c) || IsAsciiDigit(c)) plain += AsciiLower(c);
  }
  return plain;
}

}  // namespace

Result<std::string_view> CanonicalEncoding(std::string_view name) {
  const std::string message =
      fmt::format("invalid value for parameter \"client_encoding\": \"{}\"", Excerpt(name));
  const std::string plain = name.size() > kMaxEncodingNameBytes ? "" : LettersAndDigits(name);
  const auto* const at =
      std::find_if(std::begin(kEncodingNames), std::end(kEncodingNames),
                   [&](const EncodingName& known) { return known.name == plain; });
  if (at == std::end(kEncodingNames))
    return Status::Error(sqlstate::kInvalidParameterValue, message);
  if (at->encoding == kUtf8 || at->encoding == kSqlAscii) return at->encoding;
  return Status::Error(sqlstate::kFeatureNotSupported, message)
      .WithDetail(fmt::format("Conversion between {} and UTF8 is not supported.", at->encoding))
      .WithHint("Use UTF8 or SQL_ASCII.");
}

}  // namespace connbench::engine
